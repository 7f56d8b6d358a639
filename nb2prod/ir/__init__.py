"""The intermediate forms, one file each: frozen data that one part makes and the next one reads."""
