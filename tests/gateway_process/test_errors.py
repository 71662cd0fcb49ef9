from gateway_process.errors import BadValue, ChildError, ExitCode, SettingsError, StartupError


def test_settings_error_names_setting_value_and_remedy() -> None:
    """A settings error reads: setting, value, problem, remedy."""
    error = SettingsError("processes", "is below 1", "give 1 or more", value="0")
    assert str(error) == "processes: '0' is below 1; give 1 or more"


def test_settings_error_without_value_shows_none() -> None:
    """Where there is no value (or a secret), the message goes straight to the problem."""
    error = SettingsError("keyfile", "is needed with wss://", "give --keyfile FILE")
    assert str(error.named("--keyfile")) == "--keyfile: is needed with wss://; give --keyfile FILE"


def test_exit_codes_follow_the_kind_of_error() -> None:
    """Settings end with 2, failed starts with 3, and a child's failure with the child's code."""
    assert SettingsError("a", "b", "c").exit_code is ExitCode.USAGE
    assert StartupError("a").exit_code is ExitCode.STARTUP
    assert ChildError("a", ExitCode.USAGE).exit_code is ExitCode.USAGE


def test_bad_value_reads_as_problem_and_remedy() -> None:
    """A bad value is a ValueError that says what is wrong and what to write."""
    assert str(BadValue("has no port", "write :80")) == "has no port; write :80"
