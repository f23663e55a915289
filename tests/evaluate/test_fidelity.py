"""Figures equal torch-fidelity's own for the same folders, bear the right names, and say how they came about."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from catdsl.diagnostics import CatError
from catdsl.evaluate.distances import frechet_distance
from catdsl.evaluate.extractors import with_squeezenet
from catdsl.evaluate.features import extract_features
from catdsl.evaluate.fidelity import balanced, compare_folders, measure_fidelity
from catdsl.evaluate.image_lists import list_images
from catdsl.evaluate.squeezenet_extractor import register_squeezenet
from catdsl.train.data.layouts import image_files
from tests.evaluate.judges import write_images, write_noise

INCEPTION_NAMES = ["FID", "KID", "precision", "recall", "ISC"]
SQUEEZENET_NAMES = [
    "Frechet distance (SqueezeNet)",
    "kernel distance (SqueezeNet)",
    "precision (SqueezeNet features)",
    "recall (SqueezeNet features)",
]


def torch_fidelity_figures(generated, real, *, extractor, **options):
    """FID, KID with its spread, precision, recall, and ISC with its spread where it is asked for."""
    register_squeezenet()
    import torch_fidelity as tf

    found = tf.calculate_metrics(
        input1=str(generated), input2=str(real), fid=True, kid=True, prc=True, cuda=False, cache=False,
        verbose=False, save_cpu_ram=True, batch_size=8, feature_extractor=extractor.network.registered,
        feature_extractor_weights_path=str(extractor.weights), **options,
    )  # fmt: skip
    keys = (tf.KEY_METRIC_FID, tf.KEY_METRIC_KID_MEAN, tf.KEY_METRIC_PRECISION, tf.KEY_METRIC_RECALL)
    return [found[key] for key in keys], found


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """11 coarse images, 14 others of their kind, and 11 of noise."""
    root = tmp_path_factory.mktemp("folders")
    write_images(root / "generated", 11, seed=0)
    write_images(root / "real", 14, seed=1)
    write_noise(root / "noise", 11, seed=2)
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def features_of(cache):
    def extract(extractor, *folders):
        return extract_features([list_images(folder) for folder in folders], extractor, batch=8, cache=cache)

    return extract


@pytest.fixture
def compare(cache):
    def compare(generated, real, extractor, **options):
        return compare_folders(generated, real, extractor, batch=8, cache=cache, **{"draws": 10, **options})

    return compare


class TestSqueezeNet:
    def test_torch_fidelity_gives_the_same(self, folders, squeezenet, compare):
        generated, real = folders / "generated", folders / "real"
        theirs, found = torch_fidelity_figures(generated, real, extractor=squeezenet, kid_subset_size=11)
        ours = compare(generated, [real], squeezenet)
        assert [f.value for f in ours.figures] == pytest.approx(theirs, rel=1e-5)
        assert ours.figures[1].spread == pytest.approx(found["kernel_inception_distance_std"], rel=1e-4)

    def test_equal_numbers_make_one_subset(self, folders, squeezenet, compare):
        """Then we take one, and torch-fidelity a hundred that differ by what float32 rounds."""
        generated, noise = folders / "generated", folders / "noise"
        theirs, _ = torch_fidelity_figures(generated, noise, extractor=squeezenet, kid_subset_size=11)
        ours = compare(generated, [noise], squeezenet)
        assert [f.value for f in ours.figures] == pytest.approx(theirs, rel=1e-4)
        assert ours.figures[1].spread == 0

    def test_no_figure_is_called_fid(self, folders, squeezenet, compare):
        found = compare(folders / "generated", [folders / "real"], squeezenet)
        assert [f.name for f in found.figures] == SQUEEZENET_NAMES
        assert [f.less_is_better for f in found.figures] == [True, True, False, False]
        assert [f.low is None for f in found.figures] == [False, False, True, True]
        assert found["kernel distance (SqueezeNet)"] is found.figures[1]

    def test_the_protocol_stands_beside_the_figures(self, folders, squeezenet, compare):
        found = compare(folders / "generated", [folders / "real", folders / "noise"], squeezenet)
        plain = json.loads(json.dumps(asdict(found)))
        figures = plain.pop("figures")
        assert plain == {
            "extractor": "squeezenet", "weights": squeezenet.digest, "generated": 11, "real": 25,
            "subset": 11, "neighbours": 3, "draws": 10, "paired": False,
        }  # fmt: skip
        assert len(figures) == 4

    def test_intervals_hold_the_figure_and_follow_the_seed(self, folders, squeezenet, features_of):
        made, true = features_of(squeezenet, folders / "generated", folders / "real")
        first, again, other = (measure_fidelity(made, true, draws=40, seed=seed) for seed in (0, 0, 1))
        assert first == again
        assert first != other
        assert [f.value for f in first.figures] == [f.value for f in other.figures]
        assert all(f.low < f.value < f.high for f in first.figures[:2])

    def test_a_set_is_near_itself_and_far_from_noise(self, folders, squeezenet, compare):
        same = compare(folders / "generated", [folders / "generated"], squeezenet, paired=True)
        far = compare(folders / "generated", [folders / "noise"], squeezenet)
        frechet, kernel, precision, recall = SQUEEZENET_NAMES
        assert same[frechet].value == pytest.approx(0, abs=1e-3)
        assert same[frechet].high == pytest.approx(0, abs=1e-3)  # a half, too, is at no distance from itself
        assert (same[precision].value, same[recall].value) == (1, 1)
        assert far[frechet].low > 1
        assert far[kernel].low > same[kernel].value
        assert (far[precision].value, far[recall].value) == (0, 0)

    def test_two_images(self, tmp_path, squeezenet, compare):
        write_images(tmp_path / "a", 2, seed=0)
        write_images(tmp_path / "b", 2, seed=1)
        found = compare(tmp_path / "a", [tmp_path / "b"], squeezenet)
        assert (found.neighbours, found.subset) == (1, 2)
        assert all(np.isfinite(f.value) for f in found.figures)
        assert all(f.low is None and f.high is None for f in found.figures)
        assert found.figures[0].less(found.figures[0]).interval is None


class TestBalance:
    def test_the_larger_side_is_reduced(self, folders, squeezenet, features_of):
        made, true = features_of(squeezenet, folders / "generated", folders / "real")
        first, second = balanced(made, true, seed=4)
        assert first is made
        assert len(second) == 11
        assert list(second.paths) == [path for path in true.paths if path in second.paths]
        rows = [true.paths.index(path) for path in second.paths]
        assert (second.vectors_ND == true.vectors_ND[rows]).all()
        assert balanced(made, true, seed=4)[1].paths == second.paths
        assert balanced(made, true, seed=5)[1].paths != second.paths
        found = measure_fidelity(true, made, balance=True, draws=5)
        assert (found.generated, found.real) == (11, 11)

    def test_equal_sides_stay(self, folders, squeezenet, features_of):
        made, true = features_of(squeezenet, folders / "generated", folders / "noise")
        assert balanced(made, true) == (made, true)


class TestPairs:
    def test_partners_are_found_by_name(self, tmp_path, squeezenet, features_of):
        """Halves of partners are near each other, wherever these lie in their lists."""
        for path in write_images(tmp_path / "a", 12, seed=0):
            (tmp_path / "b").mkdir(exist_ok=True)
            (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
        made, true = features_of(squeezenet, tmp_path / "a", tmp_path / "b")
        for partners in (true, true.rows([3, 1, 5, 0, 2, 4, 11, 9, 7, 6, 8, 10])):
            together = measure_fidelity(made, partners, draws=10, paired=True).figures[0]
            assert (together.low, together.high) == pytest.approx((0, 0), abs=1e-3)
        apart = measure_fidelity(made, true, draws=10).figures[0]
        assert apart.high - apart.low > 0.1

    @pytest.mark.parametrize(
        ("left", "right", "note"),
        [
            (["1.png", "2.png"], ["1.png", "3.png"], "on one side only: 2, 3"),
            (["1.png", "2.png"], ["1.png", "2.png", "3.png"], "on one side only: 3"),
            (["1.png", "1.jpg"], ["1.png", "1.jpg"], "more than once"),
        ],
    )
    def test_images_without_partners(self, tmp_path, squeezenet, left, right, note, features_of):
        for folder, names in (("a", left), ("b", right)):
            for path, name in zip(write_images(tmp_path / folder, len(names), seed=0), names, strict=True):
                path.rename(tmp_path / f"{folder}-{name}")
            for path in image_files(tmp_path / folder):
                path.unlink()
            for name in names:
                (tmp_path / f"{folder}-{name}").rename(tmp_path / folder / name)
        made, true = features_of(squeezenet, tmp_path / "a", tmp_path / "b")
        with pytest.raises(CatError) as error:
            measure_fidelity(made, true, paired=True)
        (found,) = error.value.diagnostics
        assert found.code == "E602"
        assert note in found.notes[0]


def test_bad_folders(tmp_path, folders, squeezenet, compare):
    (tmp_path / "empty").mkdir()
    write_images(tmp_path / "one", 1, seed=0)
    write_images(tmp_path / "torn", 3, seed=0)[1].write_bytes(b"\x89PNG")
    cases = (("empty", "E601"), ("none", "E601"), ("one", "E601"), ("torn", "E602"))
    for name, code in cases:
        for sides in ((tmp_path / name, [folders / "real"]), (folders / "real", [tmp_path / name])):
            with pytest.raises(CatError) as error:
                compare(*sides, squeezenet)
            assert error.value.diagnostics[0].code == code


@pytest.mark.slow
def test_inception(folders, inception, features_of):
    """With random weights, which is enough to compare, and the names of Inception's figures."""
    generated, real = folders / "generated", folders / "real"
    theirs, found = torch_fidelity_figures(
        generated, real, extractor=inception, kid_subset_size=11, isc=True, isc_splits=11
    )
    made, true, noise = features_of(inception, generated, real, folders / "noise")
    ours = measure_fidelity(made, true, draws=10)
    assert [f.name for f in ours.figures] == INCEPTION_NAMES
    assert [f.value for f in ours.figures] == pytest.approx([*theirs, found["inception_score_mean"]], rel=1e-4)
    assert ours["ISC"].spread == pytest.approx(found["inception_score_std"], rel=1e-3)
    itself = measure_fidelity(made, made, draws=10)["FID"].value
    assert itself == pytest.approx(0, abs=1e-3)
    far = frechet_distance(made.vectors_ND.double().numpy(), noise.vectors_ND.double().numpy())
    assert far > ours["FID"].value > 1000 * abs(itself)


@pytest.mark.slow
def test_photographs(root, tmp_path, published_squeezenet, features_of):
    """Zebras are nearer to other zebras than to horses, and that nearer than to noise."""
    source = root.parent / "shared" / "data" / "horse2zebra"
    if not source.is_dir():
        pytest.skip(f"{source} is not there")
    for name, side, start in (("zebras", "trainB", 0), ("others", "trainB", 30), ("horses", "trainA", 0)):
        (tmp_path / name).mkdir()
        for path in image_files(source / side)[start : start + 20]:
            (tmp_path / name / path.name).symlink_to(path)
    write_noise(tmp_path / "noise", 20, seed=0, size=(64, 64))
    extractor = with_squeezenet(published_squeezenet)
    zebras, *sides = features_of(extractor, *(tmp_path / n for n in ("zebras", "zebras", "others", "horses", "noise")))
    same, others, horses, noise = (measure_fidelity(zebras, side, draws=50) for side in sides)
    for name in SQUEEZENET_NAMES[:2]:
        values = [found[name].value for found in (same, others, horses, noise)]
        assert values == sorted(values)
        assert others[name].high < horses[name].low
    assert same[SQUEEZENET_NAMES[0]].value == pytest.approx(0, abs=1e-3)
    theirs, _ = torch_fidelity_figures(
        tmp_path / "zebras", tmp_path / "horses", extractor=extractor, kid_subset_size=20
    )
    assert [f.value for f in horses.figures] == pytest.approx(theirs, rel=1e-4)
