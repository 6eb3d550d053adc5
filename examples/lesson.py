# %% [markdown]
# # A neural network, step by step
#
# The twelve steps of `fastmlp demo`, with the same numbers, as code to run and to change. Between
# the steps there are exercises, each with an empty cell for your code; solutions are at the end.
# The notebook needs fastmlp with its extra `all`.

# %%
import matplotlib.pyplot as plt
import numpy as np

from fastmlp import MLP, SGD, Adam
from fastmlp.data import class_counts, class_weights, make_spiral, split, standardize
from fastmlp.lesson import finite_differences
from fastmlp.metrics import accuracy, classification_metrics, confusion_matrix
from fastmlp.model import Model
from fastmlp.plotting import plot_activations, plot_data, plot_decision_boundaries, plot_history

seed = 1234
features, classes = ("X1", "X2"), ("c1", "c2", "c3")

# %% [markdown]
# ## 1. Look at the data
#
# 1500 points on three arms of a spiral; the task is to predict a point's arm.

# %%
X, arms = make_spiral(random_state=seed)
labels = np.array(classes)[arms]
_, ax = plt.subplots(figsize=(5, 4), layout="constrained")
plot_data(X, arms, class_names=classes, feature_names=features, ax=ax)
print(X[::300], labels[::300])

# %% [markdown]
# <details>
# <summary>Could a straight line separate the three arms?</summary>
#
# No. Each arm winds around the others, so any straight line has points of all three arms on both of
# its sides. Step 6 tries it.
#
# </details>

# %% [markdown]
# ## 2. Encode the labels
#
# The network counts classes from 0, in the order of their names.

# %%
names, y = np.unique(labels, return_inverse=True)
print(dict(enumerate(names.tolist())))

# %% [markdown]
# ## 3. Split
#
# 70 % to train on, 15 % to monitor the training, 15 % to judge the result; every part has the same
# share of each class.

# %%
train, validation, test = split(X, y, fractions=(0.70, 0.15, 0.15), random_state=seed)
(X_train, y_train), (X_val, y_val), (X_test, y_test) = train, validation, test
print([class_counts(part).tolist() for part in (y_train, y_val, y_test)])

# %% [markdown]
# <details>
# <summary>Why are there three parts, and not two?</summary>
#
# Whoever watches the validation part, to choose a learning rate or to stop in time, fits to it a
# little. The test part is looked at once, at the end, and so remains a fair judge.
#
# </details>

# %% [markdown]
# ## 4. Weigh the classes
#
# A class has the weight 1 / count in the loss, so rare classes are not ignored.

# %%
weights = class_weights(y_train, "inverse")
print(weights)

# %% [markdown]
# <details>
# <summary>What would happen if one class had a hundred times more points than another?</summary>
#
# With equal weights per point, always answering with the frequent class would already have a small
# loss. With the weight 1 / count, each class counts as much as any other.
#
# </details>

# %% [markdown]
# ## 5. Standardise
#
# Features get mean 0 and deviation 1, computed from the training part alone: the others must stay
# unseen.

# %%
scaler, (Z_train, Z_val, Z_test) = standardize(X_train, X_val, X_test)
print(Z_train.mean(axis=0).round(6), Z_train.std(axis=0).round(6))

# %% [markdown]
# <details>
# <summary>Why must the mean not be computed from all points?</summary>
#
# The test part stands for points that are not there yet. If their mean goes into the training,
# something of them is known beforehand, and the score is better than it will be in use.
#
# </details>

# %% [markdown]
# ## 6. A linear model fails
#
# Two layers without an activation are one linear map; its boundaries are lines. Adam, learning rate
# 0.01, 10 epochs.

# %%
linear = MLP([2, 100, 3], activation="identity", seed=seed)
linear.fit(
    Z_train,
    y_train,
    optimizer=Adam(learning_rate=0.01),
    epochs=10,
    seed=seed,
    class_weight=weights,
)
model = Model(linear, scaler.mean_, scaler.scale_, features, classes, "color")
_, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
plot_decision_boundaries(
    model, train=train, test=test, class_names=classes, feature_names=features, axes=axes
)
linear_accuracy = accuracy(y_test, linear.predict(Z_test))
print(f"{linear_accuracy=:.3f}")

# %% [markdown]
# ### Exercise 1
#
# Train a linear model with one more hidden layer of 100 units, also without an activation, for 100
# epochs. Does the accuracy on the test part rise?

# %%

# %% [markdown]
# ## 7. What activations do
#
# A function between the layers bends the boundary. Its derivative says how much of the error passes
# back through it: nothing where relu is flat.

# %%
_, axes = plt.subplots(1, 4, figsize=(10, 2.5), sharey=True, layout="constrained")
axes = plot_activations(["relu", "tanh", "sigmoid", "gelu"], axes=axes)

# %% [markdown]
# <details>
# <summary>Which derivatives are 0 somewhere, or nearly so, and what does that mean for
# learning?</summary>
#
# That of relu is 0 for negative inputs; those of sigmoid and tanh are nearly 0 far from 0. Where
# the derivative is 0, no error passes back, and the weights before the unit do not change.
#
# </details>

# %% [markdown]
# ## 8. The network, by hand
#
# Weights start at 0.01 * normal, biases at 0.

# %%
network = MLP([2, 100, 3], activation="relu", init="normal", init_scale=0.01, seed=seed)
loss = network.loss(Z_train, y_train, class_weight=weights)
print(f"{loss=:.4f}  {np.log(3)=:.4f}")

# %% [markdown]
# <details>
# <summary>Why is the loss ln 3 before training?</summary>
#
# All logits are nearly 0, so that softmax gives each class nearly 1/3. The cross-entropy is minus
# the logarithm of the probability of the true class: -ln(1/3) = ln 3.
#
# </details>

# %% [markdown]
# ### Exercise 2
#
# Compute the probabilities of the training points and the cross-entropy with NumPy alone, from
# `network.weights` and `network.biases`. They must agree with `network.predict_proba` and
# `network.loss`.

# %%

# %% [markdown]
# ## 9. Check the gradient
#
# Compare backpropagation to (loss(p + e) - loss(p - e)) / 2e for every parameter p, in float64 on
# 32 points, with e = 1e-6 and larger initial weights.

# %%
double = MLP([2, 100, 3], activation="relu", dtype="float64", seed=seed)
few = Z_train[:32].astype("float64"), y_train[:32]
_, gradient = double.loss_and_grad(*few, class_weight=weights)
differences = finite_differences(double, few, weights)
error = np.abs(gradient - differences).max() / np.abs(gradient).max()
print(f"{error=:.1e}")

# %% [markdown]
# <details>
# <summary>Why not train with finite differences?</summary>
#
# Each of the 603 parameters would need two computations of the loss, for every step.
# Backpropagation has the whole gradient for about the price of three.
#
# </details>

# %% [markdown]
# ## 10. Train
#
# 1,000 epochs of gradient descent on the whole training part, learning rate 1.0.

# %%
history = network.fit(
    Z_train,
    y_train,
    optimizer=SGD(learning_rate=1.0),
    epochs=1000,
    seed=seed,
    class_weight=weights,
    X_val=Z_val,
    y_val=y_val,
)
for epoch in (1, *range(200, 1001, 200)):
    loss, val_loss = history.loss[epoch - 1], history.val_loss[epoch - 1]
    print(f"{epoch=:4}  {loss=:.4f}  {val_loss=:.4f}")
_, ax = plt.subplots(figsize=(8.4, 4.2), layout="constrained")
ax = plot_history(history, ax=ax)

# %% [markdown]
# <details>
# <summary>The loss hardly falls in the first epochs. Why?</summary>
#
# The weights start near 0, at 0.01 * normal. The gradient of each layer has the weights of the
# other layer as a factor, so it is small too, until both layers have grown.
#
# </details>

# %% [markdown]
# ### Exercise 3
#
# Write the training as a loop of your own: `loss_and_grad` returns the loss and its gradient, and
# `parameters` can be changed in place. Does the loss reach the same value as in `fit`?

# %%

# %% [markdown]
# ### Exercise 4
#
# Train new networks with the learning rates 0.01, 0.1, 1 and 10, for 300 epochs each. What becomes
# of the loss?

# %%

# %% [markdown]
# ### Exercise 5
#
# How many hidden units does the task need? Train networks with 2, 5, 10 and 20 units by Adam, with
# the learning rate 0.01, batches of 32 points and 100 epochs, and compare their accuracies on the
# validation part.

# %%

# %% [markdown]
# ## 11. Judge by the test part

# %%
model = Model(network, scaler.mean_, scaler.scale_, features, classes, "color")
_, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
plot_decision_boundaries(
    model, train=train, test=test, class_names=classes, feature_names=features, axes=axes
)
matrix = confusion_matrix(y_test, network.predict(Z_test))
print(matrix)
network_accuracy = accuracy(y_test, network.predict(Z_test))
print(f"{linear_accuracy=:.3f}  {network_accuracy=:.3f}")

# %% [markdown]
# <details>
# <summary>Which number would you tell others, the accuracy in training or that on the test
# part?</summary>
#
# That on the test part. The network has seen the training points, and may have learned some of them
# by heart.
#
# </details>

# %% [markdown]
# ### Exercise 6
#
# Compute the precision and the recall of each class from `matrix` alone. Each row belongs to a true
# class, each column to a predicted one.

# %%

# %% [markdown]
# ## 12. Keep it
#
# The model file holds the parameters, the scaling and the names, and no code.

# %%
model.save("spiral.safetensors")
print(Model.load("spiral.safetensors").predict(X_test[:5]))

# %% [markdown]
# ## Solutions
#
# ### Exercise 1
#
# No. A linear map of a linear map is a linear map again, so the boundaries remain straight,
# whatever the number of layers.

# %%
deep = MLP([2, 100, 100, 3], activation="identity", seed=seed)
deep.fit(
    Z_train,
    y_train,
    optimizer=Adam(learning_rate=0.01),
    epochs=100,
    seed=seed,
    class_weight=weights,
)
deep_accuracy = accuracy(y_test, deep.predict(Z_test))
print(f"{linear_accuracy=:.3f}  {deep_accuracy=:.3f}")

# %% [markdown]
# ### Exercise 2
#
# The largest logit is subtracted before the exponential is taken. This changes no probability, and
# no exponential overflows.

# %%
(W1, W2), (b1, b2) = network.weights, network.biases
logits = np.maximum(Z_train @ W1 + b1, 0) @ W2 + b2
powers = np.exp(logits - logits.max(axis=1, keepdims=True))
probabilities = powers / powers.sum(axis=1, keepdims=True)
loss = -np.log(probabilities[np.arange(len(y_train)), y_train]).mean()
np.testing.assert_allclose(probabilities, network.predict_proba(Z_train), atol=1e-4)
np.testing.assert_allclose(loss, network.loss(Z_train, y_train), rtol=1e-4)

# %% [markdown]
# ### Exercise 3
#
# Yes, except for rounding errors: both are gradient descent on the whole training part, from the
# same initial weights.

# %%
own = MLP([2, 100, 3], activation="relu", init="normal", init_scale=0.01, seed=seed)
for _ in range(1000):
    own_loss, gradient = own.loss_and_grad(Z_train, y_train, class_weight=weights)
    own.parameters[:] -= 1.0 * gradient
fit_loss = history.loss[-1]
print(f"{own_loss=:.4f}  {fit_loss=:.4f}")

# %% [markdown]
# ### Exercise 4
#
# With 0.01 and 0.1 the loss falls too slowly. With 1 it falls fast. With 10 the steps are too long:
# the loss rises far above its initial value, and in the end it is higher than with 1.

# %%
_, ax = plt.subplots(layout="constrained")
for rate in (0.01, 0.1, 1.0, 10.0):
    tried = MLP([2, 100, 3], activation="relu", init="normal", init_scale=0.01, seed=seed)
    curve = tried.fit(
        Z_train,
        y_train,
        optimizer=SGD(learning_rate=rate),
        epochs=300,
        seed=seed,
        class_weight=weights,
    ).loss
    ax.semilogy(curve, label=f"{rate=}")
    highest, last = curve.max(), curve[-1]
    print(f"{rate=:5}  {highest=:7.4f}  {last=:.4f}")
_ = ax.legend()

# %% [markdown]
# ### Exercise 5
#
# 2 units are too few, because each of them bends the boundary along one line only. From about 10
# units on, the accuracy is close to 1. The networks are compared on the validation part, so that
# the test part remains unseen.

# %%
for units in (2, 5, 10, 20):
    small = MLP([2, units, 3], activation="relu", seed=seed)
    small.fit(
        Z_train,
        y_train,
        optimizer=Adam(learning_rate=0.01),
        batch_size=32,
        epochs=100,
        seed=seed,
        class_weight=weights,
    )
    small_accuracy = accuracy(y_val, small.predict(Z_val))
    print(f"{units=:2}  {small_accuracy=:.3f}")

# %% [markdown]
# ### Exercise 6
#
# The precision is the diagonal divided by the sums of the columns, the recall is the diagonal
# divided by the sums of the rows.

# %%
precision = matrix.diagonal() / matrix.sum(axis=0)
recall = matrix.diagonal() / matrix.sum(axis=1)
print(f"{precision=}  {recall=}")
scores = classification_metrics(y_test, network.predict(Z_test))["classes"].values()
np.testing.assert_allclose(precision, [score["precision"] for score in scores])
np.testing.assert_allclose(recall, [score["recall"] for score in scores])
plt.show()
