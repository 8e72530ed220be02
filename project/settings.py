"""What this project is told from outside: `.env` and the environment become one frozen Settings."""

from dataclasses import dataclass, field

from project.management.env_file import Variables


@dataclass(frozen=True)
class Settings:
    """Add your own settings as fields here and read them in `load`."""

    database_url: str = field(repr=False)
    environment: str = "development"
    development_hosts: tuple[str, ...] = ()
    snapshots_kept: int = 3  # of those that commands take by themselves; 0 takes none
    snapshot_limit: int = 1_000  # MB, above which no command takes one by itself


def load(variables: Variables) -> Settings:
    """Read the settings; what is missing or malformed is refused with the file, line and variable."""
    return Settings(
        database_url=variables.required(
            "DATABASE_URL", f"set it in {variables.file.name}, or copy .env.example to {variables.file.name}"
        ),
        environment=variables.one_of("ENVIRONMENT", ("development", "test", "production"), default="development"),
        development_hosts=variables.words("DEVELOPMENT_HOSTS"),
        snapshots_kept=variables.integer("SNAPSHOTS_KEPT", default=3, most=1_000),
        snapshot_limit=variables.integer("SNAPSHOT_LIMIT", default=1_000, most=1_000_000_000),
    )
