"""fastbp: the fused engine."""

import numpy as np

from fastbp.training.loop import Data, Plan

from .contender import Contender, Job, one_by_one

MANY_EPOCHS = 30  # as in a fit that is worth its time: data of mostly zeros are brought into short form


def fused(job: Job) -> Contender:
    """As `fit` calls it, and as a user calls `predict`."""
    case, net = job.case, job.net
    net.threads = job.threads
    if case.optimizer is None:
        out = np.empty(case.sizes[-1], net.dtype)
        return one_by_one(lambda x: net.predict(x, out=out), job.x)
    session = net._session(Data(*net._checked(job.x, job.y)), Plan(case.optimizer, case.batch_size, epochs=MANY_EPOCHS))
    return Contender(
        lambda order: session.train(order, 0, len(order) // case.batch_size, 0),
        lambda: net.weights[0],
    )
