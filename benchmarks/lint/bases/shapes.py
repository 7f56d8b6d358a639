# %%
from dataclasses import dataclass
import json
# %%
@dataclass
class Shape:
    name: str
    sides: int = 3

    def angle(self):
        return 180 * (self.sides - 2) / self.sides
# %%
shapes = [Shape("tri"), Shape("square", 4), Shape("hexagon", 6)]
# %%
angles = [shape.angle() for shape in shapes]
# %%
limit = 100
wide = [shape.name for shape, angle in zip(shapes, angles) if angle > limit]
# %%
class Bag:
    kind = "bag"
    sizes = [len(kind)]

    def __init__(self, items):
        self.items = list(items)

    def add(self, item):
        self.items.append(item)
        return self
# %%
bag = Bag(wide)
count = len(bag.items)
# %%
text = json.dumps({"names": bag.items, "count": count})
# %%
try:
    parsed = json.loads(text)
except ValueError as error:
    parsed = {"error": str(error)}
# %%
if (size := len(parsed)) > 1:
    message = f"{size} keys"
else:
    message = "few keys"
print(message)
