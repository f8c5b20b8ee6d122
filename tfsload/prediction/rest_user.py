"""Predictions over REST."""

from tfsload.prediction.prediction_user import PredictionUser
from tfsload.transport.rest.transport import RestTransport


class RestUser(PredictionUser):
    """Posts to a model's `:predict` requests that were encoded once. Abstract: a subclass runs."""

    abstract = True
    request_type = "rest"
    transport_class = RestTransport
