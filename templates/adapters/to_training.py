def to_training(self, **values: Any) -> None:
    """Further values that the training code uses."""
    if self.fitting:
        self.extras.update(values)
