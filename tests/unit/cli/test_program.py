from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from adology.errors import StackError
from tests.unit.cli.conftest import Run, run_process

HELP_CPU_S = 3.0
"""Generous: it takes about a fifth of that."""


@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "--help"], ["worker", "--help"]])
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom adology.cli import main\n"
        f"assert main({arguments!r}) == 0\n"
        "heavy = {'boto3', 'botocore', 'aioboto3', 'av', 'sqlalchemy', 'alembic', 'psycopg', 'pymongo', 'PIL', 'numpy',"
        " 'litestar', 'uvicorn', 'psutil'}\n"
        "sys.stderr.write(','.join(sorted(heavy & set(sys.modules))))\n"
    )
    before = _children_cpu_s()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    assert _children_cpu_s() - before < HELP_CPU_S


def _children_cpu_s() -> float:
    """Of all children that have ended. Unlike the time that passes, it is much the same on a busy machine."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def test_help_opens_with_a_sentence_and_an_example(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    assert "Collect the ads of brands, archive every creative, analyse each one once." in result.out
    assert "Example: adology up, then adology ingest ./my-creatives --brand nike" in result.out


def test_arguments_are_explained(run: Run) -> None:
    assert "The batch's id, or its beginning." in run("batch", "show", "--help").out


def test_version_is_the_distributions(run: Run) -> None:
    from importlib.metadata import version

    assert run("--version").out == f"adology {version('adology')}\n"


def test_no_arguments_show_help_and_count_as_wrong_usage(run: Run) -> None:
    result = run()
    assert result.code == 2
    assert "Usage: adology" in result.out
    assert result.err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["statsu"], "error: No such command 'statsu'. Did you mean 'status'"),
        (["analyse"], "error: No such command 'analyse'. Did you mean 'analyze', 'reanalyze'? See `adology --help`."),
        (["status", "--jsn"], "error: No such option '--jsn'. Did you mean '--json'? See `adology status --help`."),
        (["up", "--workers", "many"], "Invalid value for '--workers'"),
        (
            ["up", "--only", "redis"],
            "'redis' is no embedded server; allowed: postgres, mongo, aws. See `adology up --help`",
        ),
        (["up", "--port", "postgres"], "--port 'postgres' is not NAME=NUMBER, such as postgres=5433"),
        (
            ["up", "--port", "postgress=5433"],
            (
                "no service 'postgress' has a port; allowed: postgres, mongo, aws, registry, server."
                " See `adology up --help`"
            ),
        ),
        (
            ["worker", "--queues", "gather,paint"],
            "'gather,paint' is not one or more of gather, acquire, analyze, insight",
        ),
        (["brand", "add", "x", "--every", "often"], "'often' is no length of time; allowed: a number and s, m, h or d"),
        (["brand", "add", "x", "--handle", "crm"], "--handle 'crm' is not SOURCE=VALUE"),
        (["brand", "add", "!!"], "brand name '!!' makes the id ''; allowed: 1 to 100 characters"),
        (["brand", "gather"], "give brand ids, or --all"),
        (["ingest", "nowhere", "--brand", "nike"], "'nowhere' does not exist"),
        (["ingest", "."], "Missing option '--brand'"),
        (["batch", "list", "--limit", "0"], "0 is not in the range 1<=x<=10000"),
        (["plugins", "new", "widget", "x"], "'widget' is not one of"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run: Run, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert words in result.err
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_a_failure_is_one_line_with_its_code_and_exit_code_1(run: Run) -> None:
    result = run("brand", "list", "--home", "none")
    assert result.code == 1
    place = Path.cwd() / "none"
    assert result.err == f"error: the stack of {place} does not run. Run `adology up` first. [ADO-5515]\n"


def test_debug_shows_the_traceback_before_the_line(run: Run) -> None:
    result = run("brand", "list", "--home", "none", "--debug")
    assert "Traceback (most recent call last):" in result.err
    assert result.err.splitlines()[-1].startswith("error: the stack of")


def test_a_setting_that_is_wrong_names_key_and_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADOLOGY_WORKER__CONCURENCY", "3")
    result = run("brand", "list")
    assert result.code == 1
    assert "setting worker.concurency: unknown key" in result.err
    assert "Did you mean worker.concurrency? [ADO-1004]" in result.err


def test_a_settings_file_that_is_not_there_is_named_with_the_option(run: Run) -> None:
    result = run("brand", "list", "--config", "gone.toml")
    assert result.err == "error: setting --config: settings file gone.toml does not exist. [ADO-1002]\n"
    warned = run("status", "--config", "gone.toml").err
    assert warned.startswith("warning: setting --config: settings file gone.toml does not exist. Going on with home ")


def test_an_unexpected_error_says_how_to_see_more(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_home: Path) -> None:
        raise ZeroDivisionError("password=hunter22x")

    monkeypatch.setattr("adology.embedded.read_state", broken)
    result = run("status")
    assert result.code == 1
    assert result.err == "error: ZeroDivisionError: password=*** (--debug shows where) [ADO-5000]\n"


def test_ctrl_c_is_exit_code_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_home: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adology.embedded.read_state", interrupted)
    result = run("status")
    assert result.code == 130
    assert result.err == "error: interrupted\n"


def test_an_error_of_several_lines_is_put_on_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_home: Path) -> None:
        raise StackError("postgres does not start:\nlog line 1\nlog line 2", code="ADO-5506")

    monkeypatch.setattr("adology.embedded.read_state", broken)
    assert run("status").err == "error: postgres does not start: log line 1 log line 2 [ADO-5506]\n"


def test_common_options_count_before_and_after_the_command(run: Run, tmp_path: Path) -> None:
    for arguments in (["--home", "here", "status", "--json"], ["status", "--json", "--home", "here"]):
        assert run(*arguments).json["home"] == str(tmp_path / "here")


def test_a_settings_file_is_named_by_option(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('home = "from-the-file"\n')
    assert run("status", "--json", "--config", "my.toml").json["home"] == str(tmp_path / "from-the-file")


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m adology.cli plugins list --json --home {tmp_path} | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout


def test_the_program_runs_as_a_module() -> None:
    assert run_process("--version").out.startswith("adology ")
