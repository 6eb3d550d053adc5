"""The measurements run and report; no test depends on what they measure."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benches import growth, instructions, memory, rounds, scale
from benches.compare import __main__ as program
from benches.compare import activations, dqn, options, peer_fastmlp, peers, subnormals
from benches.compare.cases import CASES, Minimization, Problem, Training
from benches.compare.environment import environment
from benches.compare.estimator_fits import FITS
from benches.compare.report import FOOT, UNITS, block, markdown, short
from benches.compare.timing import Times
from fastmlp import _core

ROOT = Path(__file__).parent.parent
# Whole batch and part, each optimizer, dropout, tanh, both ways to predict: every line of a peer.
# A step of case g takes a second, and nothing in its code is its own.
SMOKE = {1: "a,b,f,h,i,a-1", 2: "c,e-10000"}
# Those that compile nothing and that other tests need too; `make bench-smoke` measures all.
LIBRARIES = ("fastmlp", "scikit-learn", "numpy")
TRAININGS = [case for case in CASES if isinstance(case, Training) and case.name != "g"]
(MINIMIZATION,) = (case for case in CASES if isinstance(case, Minimization))


@pytest.mark.parametrize("threads", SMOKE)
def test_the_smoke_form_measures_each_peer(threads, tmp_path):
    folder = tmp_path / "not" / "there"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "benches.compare", "smoke", "--threads", str(threads)),
            *("--cases", SMOKE[threads], "--libraries", ",".join(LIBRARIES)),
            *("--json", folder / "times.json"),
            *("--markdown", folder / "times.md", "--chart", folder / "times.png"),
        ],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert (result.stderr, result.returncode) == ("", 0)
    (run,) = json.loads((folder / "times.json").read_text(encoding="utf-8"))
    assert run["threads"] == threads
    assert all(f"left out: {name}: " in result.stdout for name in run["left out"])
    kinds = peers.kinds_of(LIBRARIES)
    assert [case["name"] for case in run["cases"]] == SMOKE[threads].split(",")
    for case in run["cases"]:
        expected = kinds[["step", "call", "evaluation"].index(case["unit"])]
        assert list(case["peers"]) == [kind.name for kind in peers.able(expected, threads)]
        assert all(min(peer["microseconds"]) > 0 for peer in case["peers"].values())
        assert block(case) in result.stdout
    assert (folder / "times.md").read_text(encoding="utf-8") == markdown([run])
    assert (folder / "times.png").read_bytes().startswith(b"\x89PNG")


def impostor(**changes):
    """Make a peer that does other work than the case asks for."""

    class Impostor(peer_fastmlp.Trainer):
        name = "impostor"

        def __init__(self, case, problem, threads):
            changed = {name: change(getattr(case, name)) for name, change in changes.items()}
            super().__init__(replace(case, **changed), problem, threads)

    return Impostor


@pytest.mark.parametrize("case", TRAININGS, ids=lambda case: case.name)
def test_a_peer_that_trains_otherwise_is_found_out(case):
    faster = impostor(learning_rate=lambda rate: 1.1 * rate)

    with pytest.raises(AssertionError, match=f"impostor trains case {case.name} otherwise: to "):
        peers.trainers((peer_fastmlp.Trainer, faster), case, Problem.of(case), threads=1)


@pytest.mark.parametrize("change", ["dropout", "weight_decay"])
def test_a_peer_that_leaves_something_out_is_found_out(change):
    (case,) = (case for case in TRAININGS if case.dropout)
    lazy = impostor(**{change: lambda _: 0.0})

    with pytest.raises(AssertionError, match="impostor trains case f otherwise: to "):
        peers.trainers((peer_fastmlp.Trainer, lazy), case, Problem.of(case), threads=1)


def test_a_peer_that_predicts_otherwise_is_found_out():
    class Impostor(peer_fastmlp.Predictor):
        name = "impostor"

        def predict_proba(self, X):
            return super().predict_proba(X + np.float32(1e-3))

    (case,) = (case for case in CASES if case.name == "a-1")

    with pytest.raises(AssertionError, match="impostor predicts otherwise in case a-1"):
        peers.predictors((peer_fastmlp.Predictor, Impostor), case, Problem.of(case), threads=1)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": lambda arrays: tuple(1.001 * array for array in arrays)},
        {"y": lambda y: y + 0.01},
    ],
    ids=["weights", "targets"],
)
def test_a_peer_that_minimises_otherwise_is_found_out(change):
    class Impostor(peer_fastmlp.Minimizer):
        name = "impostor"

        def __init__(self, case, problem, threads):
            changed = {name: make(getattr(problem, name)) for name, make in change.items()}
            super().__init__(case, replace(problem, **changed), threads)

    case = MINIMIZATION
    message = r"impostor minimises case i otherwise: to [\d.]+ in \d+ evaluations, fastmlp to "
    with pytest.raises(AssertionError, match=message):
        peers.minimizers((peer_fastmlp.Minimizer, Impostor), case, Problem.of(case), threads=1)


def test_a_peer_with_more_evaluations_is_found_out():
    class Impostor(peer_fastmlp.Minimizer):
        name = "impostor"

        def counted(self):
            loss, n_evaluations = super().counted()
            return loss, 2 * n_evaluations

    case, kinds = MINIMIZATION, (peer_fastmlp.Minimizer, Impostor)
    _, n_evaluations = peers.minimizers(kinds[:1], case, Problem.of(case), threads=1)
    with pytest.raises(AssertionError, match=f" in {2 * n_evaluations} evaluations, "):
        peers.minimizers(kinds, case, Problem.of(case), threads=1)


def measured(module):
    """Run a measurement in its smallest form, and return what it prints."""
    result = subprocess.run(
        [sys.executable, "-m", module, "smoke"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


# Three processes, each of which imports much and fits 24 pairs of estimators.
@pytest.mark.timeout(600)
def test_the_estimators_are_measured_beside_scikit_learn_s():
    printed = measured("benches.compare.estimators")
    tables = re.split(r"^threads: ", printed, flags=re.MULTILINE)[1:]
    expected = ["1", "2"] + ["1"] * ("kernels: avx2" in printed)
    assert [table.split()[0] for table in tables] == expected
    for table in tables:
        for fit in FITS:
            line = rf"^{fit.name}( +[\d,.]+ +[\d,.]+ +\d+%){{3}}$"
            assert len(re.findall(line, table, re.MULTILINE)) == 1
    calls = [line for line in printed.splitlines() if re.match(r"(fit|predict\w*): ", line)]
    # Texts are fitted and predicted in three dtypes; digits and diabetes are predicted in two.
    assert len(calls) == 3 * 3 + 2 * (2 + 1)
    assert printed.count("scikit-learn  ") == len(calls)


def test_rounds_are_compared_with_one_machine():
    printed = measured("benches.rounds")
    assert printed.startswith("1,024 rows x 54, 2 epochs, 8 shards\n")
    rows = [line.split(" | ") for line in printed.splitlines()[3:]]
    assert len(rows) == 2 * (1 + len(rounds.SCHEDULES))
    assert [row[3] for row in rows[1:8]] == ["8", "2", "2", "2", "2", "2", "2"]


# Processes start, each of which imports much.
@pytest.mark.timeout(600)
def test_costs_of_a_cluster_are_measured_and_machines_simulated():
    printed = measured("benches.scale")
    assert "6k: 6207 parameters, 54 features" in printed
    assert re.search(r"round of 1 shard +\d+\.\d ms", printed)
    assert re.search(r"allreduce, 2 ranks \d+\.\d{3} ms", printed) or sys.platform != "linux"
    assert printed.count("  rounds of ") == 2
    costs = scale.Costs(1000, 1e-3, 0.0, 0.0, 0.0, 0.0)
    free = scale.simulate(costs, scale.Link(0.0, np.inf), (1.0,))
    for speed_ups in free.values():
        np.testing.assert_allclose(speed_ups, scale.MACHINES)


def test_the_loop_of_q_learning_is_measured_beside_torch_and_jax():
    printed = measured("benches.compare.dqn")
    missing = dqn.missing()
    assert "torch, eager" not in missing
    for name in dqn.KINDS:
        assert printed.count(f"  {name}  ") == (0 if name in missing else len(dqn.CASES))
        assert printed.count(f"left out: {name}: ") == (name in missing)


def test_the_options_of_the_estimators_are_measured_beside_torch():
    printed = measured("benches.compare.options")
    for name in options.KINDS:
        assert printed.count(f"  {name}  ") == 2 * len(options.OPTIONS)


def test_every_activation_is_measured_beside_relu():
    printed = measured("benches.compare.activations")
    for name in (*_core.ACTIVATIONS, "prelu"):
        assert printed.count(f"  {name}  ") == 2
    assert len(re.findall(r"  relu  .* 1\.00$", printed, re.MULTILINE)) == 2


def test_activations_are_listed_from_the_cheapest_to_the_dearest():
    times = {
        "gelu": Times(np.array([32.0, 96.0]), np.array([32.0, 96.0])),
        "relu": Times(np.array([16.0, 64.0]), np.array([16.0, 64.0])),
    }
    lines = activations.table("float32", times).splitlines()
    assert lines[2].split() == ["relu", "2.50", "1.00"]
    assert lines[3].split() == ["gelu", "4.00", "1.75"]


def test_a_learner_that_learns_something_else_is_found_out(monkeypatch):
    class Impostor(dqn.FastMLP):
        def learn(self, rows):
            super().learn(rows[:64].repeat(2))

    monkeypatch.setattr(dqn, "KINDS", {"fastmlp": dqn.FastMLP, "impostor": Impostor})
    with pytest.raises(RuntimeError, match=r"^impostor learns something else than fastmlp$"):
        dqn.learners(every=1)


def test_data_have_every_class_and_nobody_may_write_to_them():
    for case in TRAININGS:
        problem = Problem.of(case)
        assert set(problem.y) == set(range(case.layer_sizes[-1]))
        assert not any(array.flags.writeable for array in (problem.X, problem.y, *problem.weights))
        assert case.n_rows % case.batch_size == 0


def test_values_are_in_float64_and_nobody_may_write_to_them():
    problem = Problem.of(MINIMIZATION)
    assert problem.y.shape == (len(problem.X),) == (MINIMIZATION.n_rows,)
    arrays = (problem.X, problem.y, *problem.weights, *problem.biases)
    assert not any(array.flags.writeable for array in arrays)
    assert {array.dtype for array in arrays} == {np.dtype("float64")}


@pytest.mark.skipif(not subnormals.CAN_FLUSH, reason="only on Linux and x86-64")
def test_subnormal_numbers_are_flushed_for_a_while():
    tiny, one = np.full(64, 1e-39, np.float32), np.float32(1)
    with subnormals.flushed_to_zero():
        assert not (tiny * one > 0).any()
    assert (tiny * one > 0).all()


def test_the_environment_pins_no_kernels_and_sets_the_threads(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")

    result = environment(threads=2)

    openblas = {name: value for name, value in result.items() if name.startswith("OPENBLAS")}
    assert openblas == {"OPENBLAS_NUM_THREADS": "2"}
    assert result["OMP_NUM_THREADS"] == result["MKL_NUM_THREADS"] == result["NPROC"] == "2"
    assert result["PATH"] == os.environ["PATH"]


def test_a_debug_build_is_refused(monkeypatch):
    monkeypatch.setattr(_core, "build_profile", "debug")
    monkeypatch.setattr(sys, "argv", ["benches.compare", "smoke"])

    with pytest.raises(SystemExit, match="debug build"):
        program.main()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--cases=a,z", "argument --cases: 'z' is no case; there are a, b, c, d, e, f, g, h, i"),
        ("--libraries=numpy,X", "argument --libraries: 'X' is no library; there are fastmlp, sci"),
        ("--threads=1,0", "argument --threads: '0' is no number of threads"),
        ("--threads=one", "argument --threads: 'one' is no number of threads"),
    ],
)
def test_an_option_out_of_range_is_refused(option, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benches.compare", option])

    with pytest.raises(SystemExit):
        program.main()

    assert message in capsys.readouterr().err


def a_run(threads=1):
    peers = {
        "fastmlp": {"microseconds": [2.0, 4.0, 2.0], "note": ""},
        "other": {"microseconds": [20.0, 20.0, 30.0], "note": "no dropout"},
    }
    for peer in peers.values():
        peer["processor_microseconds"] = peer["microseconds"]
    case = {"name": "b", "title": "2-100-3, batch 32, Adam", "unit": "step", "peers": peers}
    setting = {"python": "3.x", "remark": ""}
    left_out = {"third": "it has one thread"}
    return {"threads": threads, "setting": setting, "left out": left_out, "cases": [case]}


def test_a_ratio_compares_times_of_one_round():
    assert block(a_run()["cases"][0]).splitlines() == [
        "b: 2-100-3, batch 32, Adam",
        "           µs per step    ratio          quartiles     cpu µs",
        "  fastmlp         2.00     1.00      1.00     1.00       2.00",
        "  other           20.0     10.0      7.50     12.5       20.0  no dropout",
    ]


def test_markdown_has_a_table_for_each_number_of_threads():
    assert markdown([a_run(), a_run(threads=2)]) == (
        "One thread, microseconds per step, and the ratio to fastmlp's in brackets:\n\n"
        "|  | b |\n| --- | ---: |\n| fastmlp | **2.00** |\n| other | 20.0 (10.0) |\n\n"
        "- other in b: no dropout\n\n"
        "2 threads, microseconds per step, and the ratio to fastmlp's in brackets:\n\n"
        "|  | b |\n| --- | ---: |\n| fastmlp | **2.00** |\n| other | 20.0 (10.0) |\n\n"
        "- other in b: no dropout\n"
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.5, "0.500"), (2.345, "2.35"), (99.96, "100"), (123.4, "123"), (123456.7, "123,457")],
)
def test_numbers_have_three_digits(number, text):
    assert short(number) == text


def test_what_was_measured_can_be_shown_again(tmp_path, monkeypatch, capsys):
    path = tmp_path / "times.json"
    path.write_text(json.dumps([a_run()]), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["benches.compare", "--from", str(path)])

    program.main()

    heading = "python: 3.x\nleft out: third: it has one thread\nthreads: 1\n\n"
    assert capsys.readouterr().out == f"{heading}{block(a_run()['cases'][0])}\n{UNITS}\n{FOOT}\n"


def test_growth_counts_the_arithmetic_of_a_step():
    size = growth.Size(3, (2, 5, 3), batch_size=7)
    # Forward 2-5 and 5-3, gradients of both weights, and the gradient by the hidden units.
    assert size.gigaflop == pytest.approx(2e-9 * 7 * (10 + 15 + 10 + 15 + 15))


def test_growth_marks_what_grows_faster_than_the_work():
    sizes = [growth.Size(n, (2, 100, 3), n) for n in (1, 2, 3)]

    lines = growth.table("batch", sizes, [10.0, 20.0, 45.0]).splitlines()

    assert [line.split()[0] for line in lines[2:]] == ["1", "2", "3"]
    assert lines[3].endswith("1.00")
    assert lines[4].endswith("1.50  <- cliff")


def test_growth_looks_on_both_sides_of_powers_of_two():
    assert growth.around_powers_of_two(4, 16) == [4, 5, 7, 8, 9, 15, 16]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a peak begin anew")
def test_memory_sees_what_a_call_takes_for_a_while(monkeypatch):
    calls = {"64 MiB": lambda *_: np.ones(2**23), "nothing": lambda *_: None}
    monkeypatch.setattr(memory, "CALLS", calls)

    # Linux counts pages in lots of some hundred KiB.
    assert memory.raised_peak("64 MiB", 10) == pytest.approx(64 * 2**10, rel=0.05)
    assert memory.raised_peak("nothing", 10) < 2 * 2**10


def test_instructions_are_read_from_the_end_of_a_report():
    report = "==7== Events    : Ir\n==7== Collected : 123456\n==7== I   refs:      123,456\n"
    assert instructions.collected(report) == 123456


def test_instructions_of_a_step_leave_out_start_and_end():
    assert instructions.per_step(lambda epochs: 1_000_000 + 500 * 32 * epochs) == 500


@pytest.mark.parametrize(("now", "passed"), [(900, True), (1030, True), (1031, False)])
def test_more_instructions_than_recorded_fail(now, passed):
    assert instructions.verdict(1000, now)[1] is passed
