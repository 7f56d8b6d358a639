# %%
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.cluster import KMeans
from sklearn.preprocessing import MinMaxScaler
# %%
np.random.seed(3)
# %%
points = np.vstack([np.random.normal(c, 0.5, (30, 2)) for c in (0, 3, 6)])
# %%
frame = pd.DataFrame(points, columns=["x", "y"])
frame["weight"] = frame["x"] * 2 + 1
# %%
scaled = MinMaxScaler().fit_transform(frame)
# %%
inertia = []
for k in range(1, 5):
    inertia.append(KMeans(n_clusters=k, n_init=2, random_state=0).fit(scaled).inertia_)
# %%
plt.plot(range(1, 5), inertia)
plt.xlabel("k")
plt.show()
# %%
k = 3
labels = KMeans(n_clusters=k, n_init=2, random_state=0).fit_predict(scaled)
# %%
frame = frame.assign(cluster=labels)
sizes = frame["cluster"].value_counts()
# %%
centres = frame.groupby("cluster").mean()
centres
# %%
largest = sizes.idxmax()
print(largest)
