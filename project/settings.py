"""What this project is told from outside: `.env` and the environment become one frozen Settings."""

from dataclasses import dataclass, field

from project.management.env_file import Variables


@dataclass(frozen=True)
class Settings:
    """Add your own settings as fields here and read them in `load`."""

    database_url: str = field(repr=False)
    environment: str = "development"
    development_hosts: tuple[str, ...] = ()


def load(variables: Variables) -> Settings:
    """Read the settings; what is missing or malformed is refused with the file, line and variable."""
    return Settings(
        database_url=variables.required(
            "DATABASE_URL", f"set it in {variables.file.name}, or copy .env.example to {variables.file.name}"
        ),
        environment=variables.one_of("ENVIRONMENT", ("development", "test", "production"), default="development"),
        development_hosts=variables.words("DEVELOPMENT_HOSTS"),
    )
