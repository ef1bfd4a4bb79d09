from __future__ import annotations

import os
from pathlib import Path

import pytest

from adology.errors import ConfigError
from adology.settings import AdologySettings, load_settings


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def load(tmp_path: Path, toml: str = "", **env: str) -> AdologySettings:
    if toml:
        write(tmp_path / "adology.toml", toml)
    return load_settings(env=env, cwd=tmp_path)


def problem(tmp_path: Path, toml: str = "", **env: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, toml, **env)
    return caught.value


def test_defaults_need_no_file_and_no_environment(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.worker.concurrency == 12
    assert settings.home == str(tmp_path / ".adology")


def test_environment_wins_over_file_over_stack_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / ".adology").mkdir()
    write(
        tmp_path / ".adology" / "stack.toml", '[registry]\nurl = "http://stack"\nhost = "stack"\n[aws]\nregion = "s"\n'
    )
    settings = load(
        tmp_path, '[registry]\nurl = "http://file"\nhost = "file"\n', ADOLOGY_REGISTRY__URL="http://environment"
    )
    assert settings.registry.url == "http://environment"
    assert settings.registry.host == "file"
    assert settings.aws.region == "s"
    assert settings.registry.port == 8700


def test_overrides_of_the_command_line_win_over_all(tmp_path: Path) -> None:
    settings = load_settings(
        env={"ADOLOGY_REGISTRY__PORT": "1"}, cwd=tmp_path, overrides={"registry": {"port": 9}, "home": "elsewhere"}
    )
    assert settings.registry.port == 9
    assert settings.home == str(tmp_path / "elsewhere")


def test_values_of_the_environment_become_the_settings_types(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        ADOLOGY_WORKER__CONCURRENCY="3",
        ADOLOGY_WORKER__DRAIN_S="1.5",
        ADOLOGY_PLUGINS_STRICT="true",
        ADOLOGY_PLUGINS="facebook, media",
        ADOLOGY_FETCH__PORTS="[80, 8080]",
    )
    assert settings.worker.concurrency == 3
    assert settings.worker.drain_s == 1.5
    assert settings.plugins.strict is True
    assert settings.plugins.only == ("facebook", "media")
    assert settings.fetch.ports == (80, 8080)


def test_sections_of_plugins_take_any_keys(tmp_path: Path) -> None:
    settings = load(tmp_path, '[sources.shop]\nplugin = "customer_db"\nanything = 3\n')
    assert settings.sources["shop"] == {"plugin": "customer_db", "anything": 3}


def test_an_unknown_key_names_the_nearest_and_the_place(tmp_path: Path) -> None:
    error = problem(tmp_path, "[worker]\nconcurency = 3\n")
    assert error.code == "ADO-1004"
    assert error.setting == "worker.concurency"
    file = tmp_path / "adology.toml"
    assert str(error) == (f"setting worker.concurency: unknown key, found in {file}. Did you mean worker.concurrency?")


def test_an_unknown_key_far_from_all_lists_the_known_ones(tmp_path: Path) -> None:
    error = problem(tmp_path, ADOLOGY_LOG__ZZZ="1")
    assert str(error) == (
        "setting log.zzz: unknown key, found in the environment (ADOLOGY_…). Known keys: format, level."
    )


def test_a_section_given_a_value_says_so(tmp_path: Path) -> None:
    error = problem(tmp_path, "worker = 4\n")
    assert error.code == "ADO-1005"
    assert str(error) == (
        f"setting worker: is a section, but {tmp_path / 'adology.toml'} gives it a value of type int. "
        "Give its keys instead, such as ADOLOGY_WORKER__KEY."
    )


@pytest.mark.parametrize("name", ["POSTGRES", "SOURCES", "SOURCES__FACEBOOK"])
def test_a_value_given_to_a_section_is_not_shown_for_it_may_be_a_secret(tmp_path: Path, name: str) -> None:
    error = problem(tmp_path, **{f"ADOLOGY_{name}": "hunter22-hunter22"})
    assert error.setting == name.lower().replace("__", ".")
    assert error.code == "ADO-1005"
    assert "gives it a value of type str" in str(error)
    assert "hunter22" not in str(error)


def test_a_variable_below_the_value_of_another_is_refused(tmp_path: Path) -> None:
    error = problem(tmp_path, ADOLOGY_POSTGRES__URL="hunter22-hunter22", ADOLOGY_POSTGRES__URL__X="hunter22-hunter22")
    assert str(error) == (
        "setting postgres.url.x: ADOLOGY_POSTGRES__URL__X goes on where another variable has given a value."
    )


def test_a_wrong_type_from_the_environment_shows_what_was_seen(tmp_path: Path) -> None:
    error = problem(tmp_path, ADOLOGY_WORKER__CONCURRENCY="many")
    assert error.code == "ADO-1005"
    assert str(error) == (
        "setting worker.concurrency: expected `int`, got 'many' (looked in the environment (ADOLOGY_…))"
    )


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[worker]\nconcurrency = 0\n", "expected `int` >= 1, got 0"),
        ("[worker]\nconcurrency = 999\n", "expected `int` <= 256, got 999"),
        ('[log]\nlevel = "LOUD"\n', "expected one of TRACE, DEBUG, INFO, WARNING, ERROR, got 'LOUD'"),
        ("[steward]\ninterval_s = 0\n", "expected `float` > 0.0, got 0"),
    ],
)
def test_a_value_out_of_range_says_what_is_allowed(tmp_path: Path, toml: str, words: str) -> None:
    assert words in str(problem(tmp_path, toml))


def test_a_named_file_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"settings file .*nothing\.toml does not exist") as caught:
        load_settings(tmp_path / "nothing.toml", env={}, cwd=tmp_path)
    assert caught.value.code == "ADO-1002"
    assert "does not exist" in str(problem(tmp_path, ADOLOGY_CONFIG=str(tmp_path / "gone.toml")))


def test_a_file_that_is_not_toml_names_file_and_fault(tmp_path: Path) -> None:
    error = problem(tmp_path, "worker = [\n")
    assert error.code == "ADO-1002"
    assert f"setting {tmp_path / 'adology.toml'}: cannot be read as TOML:" in str(error)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings(tmp_path, env={}, cwd=tmp_path)


def test_a_secret_never_shows_in_repr_or_errors(tmp_path: Path) -> None:
    settings = load(tmp_path, ADOLOGY_POSTGRES__URL="postgresql://u:hunter22@h/d", ADOLOGY_AWS__ACCESS_KEY_ID="AKIA123")
    assert "hunter22" not in repr(settings)
    assert "AKIA123" not in f"{settings}"
    assert "url=***" in repr(settings)
    error = problem(tmp_path, '[postgres]\nurl = ["s3cr3t-value"]\n')
    assert "s3cr3t-value" not in str(error)
    assert "postgres.url" in str(error)


def test_variables_of_ours_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path, ADOLOGY_TEST_DATA="/somewhere").worker.concurrency == 12


def test_every_section_can_be_set_from_the_environment(tmp_path: Path) -> None:
    for section in AdologySettings.__struct_fields__:
        value = getattr(AdologySettings(), section)
        if hasattr(value, "__struct_fields__"):
            error = problem(tmp_path, **{f"ADOLOGY_{section.upper()}__NO_SUCH_KEY": "1"})
            assert error.setting == f"{section}.no_such_key"


def test_the_process_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ADOLOGY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ADOLOGY_S3__BUCKET", "from-the-process")
    assert load_settings(cwd=tmp_path).s3.bucket == "from-the-process"
