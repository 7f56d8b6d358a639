# %%
import numpy as np
import pandas as pd
# %%
rng = np.random.default_rng(7)
days = pd.date_range("2024-01-01", periods=60)
# %%
df = pd.DataFrame({
    "day": days,
    "city": ["Bern", "Oslo", "Rome"] * 20,
    "temp": rng.normal(10, 5, 60).round(1),
    "rain": rng.gamma(2.0, 1.5, 60).round(1),
})
# %%
df.describe()
# %%
limits = {"temp": 15, "rain": 4}
# %%
df["month"] = df["day"].dt.month
df["hot"] = df["temp"] > limits["temp"]
# %%
wet = df[df["rain"] > limits["rain"]]
print(len(wet))
# %%
by_city = df.groupby("city")[["temp", "rain"]].mean()
by_city
# %%
warmest = by_city["temp"].idxmax()
# %%
def spread(frame, column):
    return frame[column].max() - frame[column].min()
# %%
spreads = {column: spread(df, column) for column in limits}
# %%
summary = pd.Series(spreads).sort_values()
summary
