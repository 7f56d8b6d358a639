# %%
import re
import string
# %%
text = "the cat sat on the mat and the dog sat on the cat"
# %%
words = re.findall(r"\w+", text)
# %%
stop = {"the", "on", "and"}
kept = [word for word in words if word not in stop]
# %%
index = {}
for position, word in enumerate(kept):
    index.setdefault(word, []).append(position)
# %%
def first(word):
    return index[word][0]
# %%
order = sorted(index, key=first)
# %%
longest = max(order, key=len)
# %%
pairs = list(zip(kept, kept[1:]))
# %%
letters = {letter: sum(letter in word for word in kept) for letter in string.ascii_lowercase}
used = [letter for letter, count in letters.items() if count]
print(used)
