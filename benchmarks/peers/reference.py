"""fastbp's reference engine: not timed, but the truth that everyone is compared with."""

from fastbp.training.loop import Data, Plan

from .contender import Contender, Job, one_by_one


def reference(job: Job) -> Contender:
    """Plain NumPy, one function for each equation."""
    case, net = job.case, job.net.to_reference()
    if case.optimizer is None:
        return one_by_one(net.predict, job.x)
    session = net._session(Data(*net._checked(job.x, job.y)), Plan(case.optimizer, case.batch_size))
    return Contender(
        lambda order: session.train(order, 0, len(order) // case.batch_size, 0),
        lambda: net.weights[0],
    )
