"""The programs of Nielsen's book "Neural Networks and Deep Learning", many times faster: change the import.

``from fastbp.nielsen import network, network2, mnist_loader`` in place of the book's modules of these names. The same
seeds of `random` and `np.random` give the same network, and the same lines printed. What is of the book is in
`network` and `network2`, a class each; `book` has what they share, `columns` the data, `shuffle` the order.

What differs, each on purpose: data that the originals would train on wrongly without a word (a 1-D x, a label where a
column is due) raise ValueError, and so does training that leaves the finite numbers.
"""

from . import mnist_loader as mnist_loader
from . import network as network
from . import network2 as network2
