r"""Initial weights whose variance depends on the size of the layer.

.. math:: \operatorname{Var}(w) = \frac{2}{n + m}, \quad \frac{2}{n}, \quad \frac{1}{n}

by Glorot, He and LeCun, for n inputs and m outputs. Normal and uniform weights both have
this variance. The bound of the uniform ones is the square root of three times the variance.

References
----------
X. Glorot, Y. Bengio (2010). "Understanding the difficulty of training deep feedforward
neural networks." AISTATS.

K. He, X. Zhang, S. Ren, J. Sun (2015). "Delving deep into rectifiers: surpassing
human-level performance on ImageNet classification." ICCV, arXiv:1502.01852.

Y. LeCun, L. Bottou, G. Orr, K.-R. Müller (1998). "Efficient BackProp." In: Neural Networks:
Tricks of the Trade.
"""

from functools import partial

__all__ = ["BY_SIZE"]


def _uniform(variance, shape, rng):
    bound = (3 * variance(*shape)) ** 0.5
    return rng.uniform(-bound, bound, shape)


def _normal(variance, shape, rng):
    return rng.normal(0.0, variance(*shape) ** 0.5, shape)


def _glorot(inputs, outputs):
    return 2 / (inputs + outputs)


def _he(inputs, outputs):
    return 2 / inputs


def _lecun(inputs, outputs):
    return 1 / inputs


# Not scikit-learn's 'glorot_uniform', which also draws biases.
BY_SIZE = {
    "glorot_normal": partial(_normal, _glorot),
    "he_uniform": partial(_uniform, _he),
    "he_normal": partial(_normal, _he),
    "lecun_uniform": partial(_uniform, _lecun),
    "lecun_normal": partial(_normal, _lecun),
}
