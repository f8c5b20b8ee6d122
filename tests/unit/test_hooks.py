"""A user class's own `encode` and `is_right`: how they are found, called, and refused."""

import functools
import sys
import time

import gevent
import numpy as np
import pytest

from tfsload.datasets.dataset import Dataset, load
from tfsload.load.request_book import RIGHT, WRONG
from tfsload.prediction import encoding
from tfsload.prediction.encoding import encoded
from tfsload.prediction.hooks import NO_HOOKS, by_hooks, hooks_of
from tfsload.prediction.judging import Judging
from tfsload.prediction.prediction_user import PredictionUser
from tfsload.records.record import Record
from tfsload.records.recorder import Recorder
from tfsload.records.window import UNCOUNTED, Window
from tfsload.settings.settings import SettingsError
from tfsload.transport import words
from tfsload.transport.answer import Answer
from tfsload.transport.failure import UNJUDGED, PredictionFailure
from tfsload.transport.image_answer import ImageAnswer


class Base(PredictionUser):
    abstract = True


class Plain(Base):
    pass


class WithSelf(Base):
    ink = 255

    def encode(self, image):
        return self.ink - image

    def is_right(self, label, answer):
        return label == answer


class Heir(WithSelf):
    ink = 5


class Static(Base):
    @staticmethod
    def encode(image):
        return 255 - image

    @staticmethod
    def is_right(label, answer):
        return label == answer


class StaticHeir(Static):
    weight = 3


class Classmethod(Base):
    @classmethod
    def encode(cls, image):
        return 255 - image

    @classmethod
    def is_right(cls, label, answer):
        return label == answer


class WithoutSelf(Base):
    def encode(image):  # noqa: N805  (as somebody may write it)
        return 255 - image

    def is_right(label, answer):  # noqa: N805
        return label == answer


class Mixin:
    def encode(self, image):
        return 255 - image

    def is_right(self, label, answer):
        return label == answer


class Mixed(Mixin, Base):
    pass


class Partial(Base):
    encode = functools.partial(np.subtract, 255)
    is_right = staticmethod(functools.partial(lambda sure, label, answer: sure and label == answer, True))


@pytest.mark.parametrize(
    "user_class", [WithSelf, Static, StaticHeir, Classmethod, WithoutSelf, Mixed, Partial], ids=lambda one: one.__name__
)
def test_they_are_called_before_there_are_users(user_class):
    hooks = hooks_of(user_class, PredictionUser)

    assert hooks.encode.call(np.uint8(5)) == 250
    assert hooks.is_right.call(3, 3) is True
    assert hooks.is_right.call(3, 4) is False


def test_a_class_that_inherits_them_has_them_with_its_own_attributes():
    assert hooks_of(Heir, PredictionUser).encode.call(np.uint8(5)) == 0
    assert hooks_of(Heir, PredictionUser).encode.name == "WithSelf.encode"


def test_classes_without_their_own_way_or_with_the_same_share_requests():
    found = by_hooks([Plain, Static, StaticHeir, WithSelf, Heir], PredictionUser)

    assert [names for names, _ in found] == [("Plain",), ("Static", "StaticHeir"), ("WithSelf",), ("Heir",)]
    assert found[0][1] == NO_HOOKS


class TooFew(Base):
    def is_right(self, label):
        return label == 3


class TooMany(Base):
    @staticmethod
    def encode(image, label):
        return image if label else None


class NoFunction(Base):
    encode = 255


class Async(Base):
    async def encode(self, image):
        return image


@pytest.mark.parametrize(
    ("user_class", "message"),
    [
        pytest.param(TooFew, "TooFew.is_right takes (self, label): expected def is_right(self, la", id="few"),
        pytest.param(TooMany, "TooMany.encode takes (image, label): expected def encode(self, image)", id="many"),
        pytest.param(NoFunction, "NoFunction.encode is 255, which cannot be called", id="no-function"),
        pytest.param(Async, "Async.encode is async, and is not awaited", id="async"),
    ],
)
def test_what_cannot_be_called_is_refused(user_class, message):
    with pytest.raises(SettingsError) as caught:
        by_hooks([Plain, user_class], PredictionUser)

    (fault,) = caught.value.faults
    assert message in fault


# Encoding

N = 3
IMAGES = np.arange(N * 6, dtype=np.uint8).reshape(N, 2, 3)
DATA = Dataset("mine", IMAGES, np.array([4, 5, 6], np.uint8))


def hook(function):
    made = type("Mine", (Base,), {"encode": staticmethod(function)})
    return hooks_of(made, PredictionUser).encode


@pytest.mark.parametrize(
    ("function", "images"),
    [
        pytest.param(lambda image: 255 - image, 255 - IMAGES, id="inverted"),
        pytest.param(lambda image: image[:1], IMAGES[:, :1], id="of-another-size"),
        pytest.param(lambda image: image.tolist() and np.array(image), IMAGES, id="copied"),
    ],
)
def test_an_image_takes_the_place_of_an_image(function, images):
    made = encoded(DATA, hook(function))

    assert made.dataset.arrays == {}
    np.testing.assert_array_equal(made.dataset.images, images)
    assert made.dataset.labels is DATA.labels
    assert made.by == "Mine.encode"
    assert made.by_words.startswith("Mine.encode (3 images in ")


@pytest.mark.parametrize(
    ("function", "arrays"),
    [
        pytest.param(lambda image: image / np.float32(255), {"": IMAGES / np.float32(255)}, id="floats"),
        pytest.param(lambda image: image.ravel(), {"": IMAGES.reshape(N, 6)}, id="flat"),
        pytest.param(lambda image: int(image[0, 0]), {"": np.array([0, 6, 12])}, id="a-number"),
        pytest.param(lambda _: [1.5, 2], {"": np.array([[1.5, 2]] * N)}, id="a-list"),
        pytest.param(lambda _: b"\0a\0", {"": np.array([b"\0a\0"] * N, object)}, id="bytes-with-zeros"),
        pytest.param(lambda _: "ä", {"": np.array(["ä".encode()] * N, object)}, id="text"),
        pytest.param(lambda _: ["a", b"b"], {"": np.array([[b"a", b"b"]] * N, object)}, id="texts"),
        pytest.param(
            lambda image: {"x": image, "t": 0.5, "on": True},
            {"x": IMAGES, "t": np.array([0.5] * N), "on": np.array([True] * N)},
            id="by-name",
        ),
    ],
)
def test_what_is_no_image_is_sent_as_it_is(function, arrays):
    made = encoded(DATA, hook(function)).dataset

    assert made.images.shape == (N, 0, 0)
    assert list(made.arrays) == list(arrays)
    for name, array in arrays.items():
        assert made.arrays[name].dtype == array.dtype
        assert made.arrays[name].tolist() == array.tolist()
        assert not made.arrays[name].flags.writeable


def test_each_image_is_encoded_once_and_in_order_from_a_view_that_cannot_be_written():
    seen = []

    def encode(image):
        seen.append((int(image[0, 0]), image.flags.writeable))
        return image

    encoded(load("mnist5k").first(3), hook(encode))
    assert [writeable for _, writeable in seen] == [False] * 3
    seen.clear()
    encoded(DATA, hook(encode))
    assert [first for first, _ in seen] == [0, 6, 12]


def test_a_buffer_that_is_used_again_is_copied():
    buffer = np.zeros((2, 3), np.float32)

    def encode(image):
        buffer[:] = image
        return buffer

    assert encoded(DATA, hook(encode)).dataset.arrays[""].tolist() == IMAGES.tolist()


def test_of_arrays_it_is_given_those_of_an_example():
    given = Dataset("x.npz", np.zeros((N, 0, 0), np.uint8), None, arrays={"a": np.arange(N), "b": np.ones(N)})

    made = encoded(given, hook(lambda example: {"a": example["a"] + 1, "b": example["b"]})).dataset

    assert made.arrays["a"].tolist() == [1, 2, 3]
    assert encoded(given, None).by == "--dataset x.npz"


class SaysNothing(Exception):  # noqa: N818
    """What a library may raise, or return: it is no array, and can be neither shown nor told."""

    def __repr__(self):
        raise RuntimeError

    __str__ = __array__ = __repr__


def raises_what_says_nothing(*_):
    raise SaysNothing


def times_out(*_):
    with gevent.Timeout(0.001):
        gevent.sleep(60)


def raises_a_timeout(*_):
    raise gevent.Timeout(5)


def raises_with_its_values(label, answer):
    raise ValueError(f"{label} is not {answer}")


class NotHashable:
    """As a dataclass with `__call__` is."""

    __hash__ = None

    def __call__(self, image):
        return 255 - image


def test_an_object_that_can_be_called_need_not_be_hashable():
    made = type("Mine", (Base,), {"encode": NotHashable()})
    ((names, hooks),) = by_hooks([made], PredictionUser)

    assert names == ("Mine",)
    assert (encoded(DATA, hooks.encode).dataset.images == 255 - IMAGES).all()


def fails_at_the_second(image):
    return image if not image[0, 0] else image.no_such_thing


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param(lambda _: None, "Mine.encode, image 0: returned NoneType None: expected an", id="nothing"),
        pytest.param(lambda _: {}, "image 0: returned a dict with the keys []", id="no-names"),
        pytest.param(lambda image: {1: image}, "image 0: returned a dict with the keys [1]", id="no-text-as-name"),
        pytest.param(lambda image: {"": image}, "returned a dict with the keys ['']", id="empty-name"),
        pytest.param(lambda _: {"x": object()}, "image 0: returned x: object <object", id="no-array"),
        pytest.param(lambda _: [[1], [1, 2]], "image 0: returned list [[1], [1, 2]]", id="ragged"),
        pytest.param(lambda _: [b"a", 1], "returned list [b'a', 1]", id="mixed"),
        pytest.param(
            lambda image: image[: 1 + bool(image[0, 0])],
            "image 1: returned uint8 [2, 3], image 0 had uint8 [1, 3]",
            id="size",
        ),
        pytest.param(
            lambda image: image if image[0, 0] else image / 1,
            "image 1: returned uint8 [2, 3], image 0 had float64",
            id="dtype",
        ),
        pytest.param(
            lambda image: {"a": 1} if image[0, 0] else {"b": 1},
            "image 1: returned a int64, image 0 had b int64",
            id="names",
        ),
        pytest.param(fails_at_the_second, "Mine.encode, image 1: AttributeError: ", id="exception"),
        pytest.param(lambda _: sys.exit(3), "Mine.encode, image 0: SystemExit: 3, at ", id="exit"),
        pytest.param(times_out, "Mine.encode, image 0: Timeout: 0.001 seconds, at ", id="timeout"),
        pytest.param(raises_a_timeout, "Mine.encode, image 0: Timeout: 5 seconds, at ", id="timeout-raised"),
        pytest.param(raises_what_says_nothing, "Mine.encode, image 0: SaysNothing, at ", id="cannot-be-told"),
        pytest.param(lambda _: SaysNothing(), "returned SaysNothing, which makes no array: Runt", id="no-array-of-it"),
        pytest.param(lambda _: "\ud800", "0: returned str, which makes no array: UnicodeEncodeError", id="surrogate"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_with_its_image(function, message):
    with pytest.raises(SettingsError) as caught:
        encoded(DATA, hook(function))

    (fault,) = caught.value.faults
    assert message in fault


def test_no_secret_is_told_that_an_exception_repeats():
    def tells(_):
        raise ValueError("no answer to authorization=s3cr3tvalue99")

    words.hide(["s3cr3tvalue99"])
    try:
        with pytest.raises(SettingsError) as caught:
            encoded(DATA, hook(tells))
    finally:
        words.hide([])

    assert "authorization=" in str(caught.value)
    assert "s3cr3tvalue99" not in str(caught.value).partition(", at ")[0]


def test_an_exception_is_told_with_the_user_s_own_line():
    with pytest.raises(SettingsError, match=r"test_hooks.py, line \d+: return image if not image\[0, 0\] else"):
        encoded(DATA, hook(fails_at_the_second))


def test_texts_count_with_all_that_they_hold(monkeypatch):
    """They counted as eight bytes each."""
    monkeypatch.setattr(encoding, "MAX_BYTES", 1 << 30)
    long = b"x" * (700 << 20)
    made = []

    def encode(image):
        made.append(image)
        return long

    with pytest.raises(SettingsError, match=r"2 of 3 images take 1\.37 GiB, expected at most 1: pass a smaller"):
        encoded(DATA, hook(encode))
    assert len(made) == 2


def test_more_than_memory_holds_is_refused_before_it_is_taken():
    huge = np.broadcast_to(np.float32(0), (40_000, 40_000))
    with pytest.raises(SettingsError, match=r"3 images would take 17\.9 GiB, expected at most 4: pass a"):
        encoded(DATA, hook(lambda _: huge))


# Judging


class Reading:
    """Stands in for a transport: a reply's bytes are the classes answered."""

    def __init__(self):
        self.n_read = 0

    def reader_of(self, n_images):  # noqa: ARG002  (as the transport has it)
        return self

    def read(self, reply):
        self.n_read += 1
        answer = Answer.of(np.eye(10)[list(reply)])
        return type("Read", (), {"images": [*map(image_answer, reply)], "predicted": answer.predicted})()


def image_answer(predicted):
    return ImageAnswer(predicted, None, lambda: ({"x": np.array([predicted])}, 1), 0)


def judged(is_right, labels, *replies, first=0):
    made = type("Mine", (Base,), {"is_right": staticmethod(is_right)})
    judging = Judging(Reading(), hooks_of(made, PredictionUser).is_right)
    judge = judging.judge_of(first, labels)
    return [judge(bytes(reply)).counted for reply in replies]


@pytest.mark.parametrize(
    ("is_right", "counted"),
    [
        pytest.param(lambda label, answer: answer.predicted == label, [RIGHT, WRONG], id="as-ever"),
        pytest.param(lambda label, answer: abs(answer.predicted - label) <= 1, [RIGHT, RIGHT], id="tolerance"),
        pytest.param(lambda label, answer: np.bool_(answer.value == label), [RIGHT, WRONG], id="numpys-bool"),
    ],
)
def test_each_image_is_judged_by_itself(is_right, counted):
    assert judged(is_right, [3, 5], [3, 4]) == [counted]


def test_an_answer_in_the_same_bytes_has_its_last_verdict():
    asked = []

    def is_right(label, answer):
        asked.append(answer.predicted)
        return answer.predicted == label

    assert judged(is_right, [3], [3], [3], [4], [4], [3]) == [[RIGHT], [RIGHT], [WRONG], [WRONG], [RIGHT]]
    assert asked == [3, 4, 3]


@pytest.mark.parametrize(("begin_ns", "level"), [(0, 3), (2**62, UNCOUNTED)], ids=["within-the-level", "before-it"])
def test_how_long_judging_takes_goes_with_the_records_of_its_level(begin_ns, level):
    recorder = Recorder(counts_later=True)
    recorder.measure(Window.of(3, begin_ns, 2**62, is_open_load=False))
    made = type("Mine", (Base,), {"is_right": staticmethod(lambda label, _: time.sleep(0.01) or label / label == 1)})
    judge = Judging(Reading(), hooks_of(made, PredictionUser).is_right, recorder).judge_of(0, [3, 0])

    with pytest.raises(PredictionFailure):  # which takes as long
        judge(bytes([3, 4]))
    spent_ns = dict(recorder.judging_ns)
    recorder.record([3], [3], None, begin_ns, begin_ns, begin_ns, None)
    recorder.record([3], [3], None, 1, 1, 1, None)
    of_level = {row["level"]: Record.from_plain(row["record"]).judging_ns for row in recorder.take_all()}

    assert list(spent_ns) == [level]
    assert 20e6 <= spent_ns[level] < 10e9
    assert of_level.pop(level) == spent_ns[level]
    assert set(of_level.values()) <= {0}
    assert recorder.judging_ns == {}


@pytest.mark.parametrize(
    ("is_right", "message"),
    [
        pytest.param(lambda _, answer: answer.none, "Mine.is_right, image 7: AttributeError: ", id="exception"),
        pytest.param(raises_what_says_nothing, "image 7: SaysNothing, at ", id="an-exception-that-cannot-be-told"),
        pytest.param(lambda *_: SaysNothing(), "returned SaysNothing that cannot be shown, ex", id="cannot-be-shown"),
        pytest.param(lambda *_: sys.exit(3), "Mine.is_right, image 7: SystemExit: 3, at ", id="exit"),
        pytest.param(times_out, "Mine.is_right, image 7: Timeout: 0.001 seconds, at ", id="timeout"),
        pytest.param(raises_a_timeout, "Mine.is_right, image 7: Timeout: 5 seconds, at ", id="timeout-raised"),
        pytest.param(lambda *_: None, "image 7: returned NoneType None, expected True", id="nothing"),
        pytest.param(lambda *_: 1, "image 7: returned int 1, expected True or False", id="number"),
        pytest.param(lambda *_: np.array([True]), "image 7: returned ndarray array([ True]), exp", id="array"),
    ],
)
def test_what_cannot_be_judged_fails_by_a_code_of_its_own(is_right, message, caplog):
    with pytest.raises(PredictionFailure) as caught:
        judged(is_right, [3], [3], first=7)

    assert caught.value.code == UNJUDGED
    (record,) = caplog.records
    assert message in record.getMessage()
    assert caught.value.message.startswith("Mine.is_right: ")


@pytest.mark.parametrize("thrown", [gevent.GreenletExit, gevent.Timeout(60), KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("hook_name", ["encode", "is_right"])
def test_what_is_thrown_into_a_user_while_a_hook_waits_is_not_the_hook_s(thrown, hook_name):
    """Its user is ended, or has a time limit of its own around its task."""

    def run():
        if hook_name == "encode":
            encoded(DATA, hook(lambda _: gevent.sleep(60)))
        else:
            judged(lambda *_: gevent.sleep(60), [3], [3])

    came = []

    def see():
        try:
            run()
        except BaseException as error:
            came.append(error)

    greenlet = gevent.spawn(see)
    gevent.sleep(0)
    greenlet.kill(thrown)

    assert [one if isinstance(thrown, BaseException) else type(one) for one in came] == [thrown]


def test_locusts_table_of_errors_has_one_row_for_a_fault_whatever_it_says_of_the_image():
    """It has a row for each message, and grew with every answer."""
    messages = set()
    for label in range(20):
        with pytest.raises(PredictionFailure) as caught:
            judged(raises_with_its_values, [label], [3], first=label)
        messages.add(caught.value.message)
        with pytest.raises(PredictionFailure) as caught:
            judged(lambda label, _: label / 3, [label], [3], first=label)
        messages.add(caught.value.message)

    assert len(messages) == 2


def test_the_same_fault_is_told_once(caplog):
    made = type("Mine", (Base,), {"is_right": staticmethod(lambda *_: 1 / 0)})
    judging = Judging(Reading(), hooks_of(made, PredictionUser).is_right)
    for number in range(5):
        with pytest.raises(PredictionFailure):
            judging.judge_of(number, [3])(bytes([number]))

    assert len(caplog.records) == 1


# What is_right is given


def test_an_answer_cannot_be_changed():
    answer = image_answer(3)
    with pytest.raises(AttributeError):
        answer.predicted = 4
    with pytest.raises(ValueError, match="read-only"):
        answer.outputs["x"][...] = 4
    with pytest.raises(TypeError):
        answer.outputs["y"] = 4


OUTPUTS = {"a": np.array([[1.5], [2.5]]), "b": np.array([b"x", b"y"], object), "all": np.float32(7), "c": np.eye(2)}


@pytest.mark.parametrize(("place", "expected"), [(0, ([1.5], b"x", [1.0, 0.0])), (1, ([2.5], b"y", [0.0, 1.0]))])
def test_outputs_are_the_image_s_own_part(place, expected):
    answer = ImageAnswer(None, None, lambda: ({name: np.asarray(one) for name, one in OUTPUTS.items()}, 2), place)

    assert (answer.outputs["a"].tolist(), answer.outputs["b"][()], answer.outputs["c"].tolist()) == expected
    assert answer.outputs["all"] == 7
    with pytest.raises(ValueError, match=r"answers several outputs: take one of answer\.outputs: a, all, b, c"):
        _ = answer.value


@pytest.mark.parametrize(
    ("array", "value"),
    [
        pytest.param(np.array([[1.5], [2.5]]), 2.5, id="column"),
        pytest.param(np.array([1, 2]), 2, id="row"),
        pytest.param(np.array([b"x", b"yy"], object), b"yy", id="text"),
    ],
)
def test_the_value_of_the_only_output_is_a_number_or_text(array, value):
    assert ImageAnswer(None, None, lambda: ({"x": array}, 2), 1).value == value


def test_it_asks_what_the_suite_does_where_a_class_has_none_of_its_own():
    assert PredictionUser.is_right(3, image_answer(3)) is True
    assert PredictionUser.is_right(3, image_answer(4)) is False
    assert PredictionUser.is_right(3, image_answer(None)) is False
