# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
# %%
rng = np.random.default_rng(0)
size = 200
# %%
data = pd.DataFrame({"age": rng.integers(18, 70, size), "calls": rng.poisson(2, size), "fee": rng.normal(50, 9, size)})
data["left"] = (data["calls"] + rng.normal(0, 1, size) > 3).astype(int)
# %%
data.head()
# %%
columns = ["age", "calls", "fee"]
X = data[columns]
y = data["left"]
# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
# %%
scaler = StandardScaler()
A_train = scaler.fit_transform(X_train)
A_test = scaler.transform(X_test)
# %%
model = LogisticRegression()
model.fit(A_train, y_train)
# %%
predicted = model.predict(A_test)
# %%
accuracy = accuracy_score(y_test, predicted)
print(f"accuracy {accuracy:.2f}")
# %%
weights = pd.Series(model.coef_[0], index=columns)
weights
