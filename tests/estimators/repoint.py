"""A pytest plug-in that puts our estimators where scikit-learn's tests import theirs from."""

import sklearn.neural_network

import fastmlp

sklearn.neural_network.MLPClassifier = fastmlp.MLPClassifier
sklearn.neural_network.MLPRegressor = fastmlp.MLPRegressor
