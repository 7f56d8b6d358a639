# %%
import math
from collections import Counter
# %%
orders = [("ann", 3, 2.5), ("bob", 1, 10.0), ("ann", 2, 4.0), ("cem", 5, 1.2)]
# %%
def cost(order):
    name, count, price = order
    return count * price
# %%
RATE = 0.2
def taxed(order):
    return cost(order) * (1 + RATE)
# %%
totals = {}
for order in orders:
    totals[order[0]] = totals.get(order[0], 0) + taxed(order)
# %%
best = max(totals, key=totals.get)
print(best)
# %%
seen = Counter(name for name, _, _ in orders)
# %%
share = {name: value / sum(totals.values()) for name, value in totals.items()}
# %%
rounded = {name: math.floor(100 * value) for name, value in share.items()}
# %%
lines = [f"{name:>5} {value:3d} %" for name, value in sorted(rounded.items())]
report = "\n".join(lines)
print(report)
