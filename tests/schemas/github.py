"""GitHub-like: joined inheritance of two levels, orgs, repos, issues and pull requests, single table inheritance of events."""

import enum
import uuid
from datetime import datetime
from typing import Optional

from sqlalchemy import *
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Visibility(enum.StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"
    INTERNAL = "internal"


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(20))
    login: Mapped[str] = mapped_column(String(39), unique=True)
    avatar_url: Mapped[Optional[str]] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    __mapper_args__ = {"polymorphic_on": "type", "polymorphic_identity": "account"}


class User(Account):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    name: Mapped[Optional[str]] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    bio: Mapped[Optional[str]] = mapped_column(String(160))
    company: Mapped[Optional[str]] = mapped_column(String(80))
    hireable: Mapped[Optional[bool]]
    __mapper_args__ = {"polymorphic_identity": "user"}


class Staff(User):
    __tablename__ = "staff_users"
    id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    badge_number: Mapped[int] = mapped_column(unique=True)
    __mapper_args__ = {"polymorphic_identity": "staff"}


class Organization(Account):
    __tablename__ = "organizations"
    id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    display_name: Mapped[str] = mapped_column(String(100))
    billing_email: Mapped[str] = mapped_column(String(254))
    website: Mapped[Optional[str]] = mapped_column(String(255))
    __mapper_args__ = {"polymorphic_identity": "organization"}


class Membership(Base):
    __tablename__ = "memberships"
    org_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Enum("admin", "member", name="org_role"))


class Repository(Base):
    __tablename__ = "repositories"
    __table_args__ = (
        UniqueConstraint("owner_id", "name"),
        CheckConstraint("fork_of_id IS NULL OR fork_of_id <> id", name="no_self_fork").ddl_if(
            callable_=lambda d, t, b, dialect=None, **k: (dialect or b.dialect).name not in ("mysql", "mariadb")
        ),
        CheckConstraint("stars >= 0", name="stars_ok"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[Optional[str]] = mapped_column(String(350))
    visibility: Mapped[Visibility] = mapped_column(
        Enum(Visibility, values_callable=lambda e: [m.value for m in e], name="visibility")
    )
    default_branch: Mapped[str] = mapped_column(String(100), server_default="main")
    stars: Mapped[int] = mapped_column(default=0)
    fork_of_id: Mapped[Optional[int]] = mapped_column(ForeignKey("repositories.id"))
    topics: Mapped[Optional[list]] = mapped_column(JSON)
    pushed_at: Mapped[Optional[datetime]]


class Star(Base):
    __tablename__ = "stars"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"), primary_key=True)
    starred_at: Mapped[datetime]


class Label(Base):
    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("repository_id", "name"), CheckConstraint("length(color) = 6", name="hex_color"))
    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"))
    name: Mapped[str] = mapped_column(String(50))
    color: Mapped[str] = mapped_column(CHAR(6))


class Milestone(Base):
    __tablename__ = "milestones"
    __table_args__ = (UniqueConstraint("repository_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"))
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    due_on: Mapped[Optional[datetime]]


class Issue(Base):
    __tablename__ = "issues"
    __table_args__ = (
        UniqueConstraint("repository_id", "number"),
        CheckConstraint("state = 'open' OR closed_at IS NOT NULL", name="closed_has_time"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"))
    number: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    milestone_id: Mapped[Optional[int]] = mapped_column(ForeignKey("milestones.id"))
    title: Mapped[str] = mapped_column(String(256))
    body: Mapped[Optional[str]] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), CheckConstraint("state IN ('open', 'closed')", name="issue_state"))
    created_at: Mapped[datetime]
    closed_at: Mapped[Optional[datetime]]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "issue"}


class PullRequest(Issue):
    __tablename__ = "pull_requests"
    id: Mapped[int] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    head_ref: Mapped[str] = mapped_column(String(100))
    base_ref: Mapped[str] = mapped_column(String(100))
    head_sha: Mapped[str] = mapped_column(CHAR(40), CheckConstraint("length(head_sha) = 40", name="sha1"))
    merged: Mapped[bool] = mapped_column(default=False)
    __mapper_args__ = {"polymorphic_identity": "pull"}


issue_labels = Table(
    "issue_labels",
    Base.metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("label_id", ForeignKey("labels.id"), primary_key=True),
)


class Event(Base):
    __tablename__ = "events"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    type: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"))
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __mapper_args__ = {"polymorphic_on": "type", "polymorphic_abstract": True}


class PushEvent(Event):
    __table_args__ = None  # see t_single
    size: Mapped[Optional[int]]
    ref: Mapped[Optional[str]] = mapped_column(String(100))
    __mapper_args__ = {"polymorphic_identity": "push"}


class IssueEvent(Event):
    __table_args__ = None  # see t_single
    issue_id: Mapped[Optional[int]] = mapped_column(ForeignKey("issues.id"))
    action: Mapped[Optional[str]] = mapped_column(String(20))
    __mapper_args__ = {"polymorphic_identity": "issue"}


class Commit(Base):
    __tablename__ = "commits"
    sha: Mapped[str] = mapped_column(CHAR(40), primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id"), index=True)
    parent_sha: Mapped[Optional[str]] = mapped_column(ForeignKey("commits.sha"))
    author_id: Mapped[Optional[int]] = mapped_column(ForeignKey("users.id"))
    message: Mapped[str] = mapped_column(Text)
    committed_at: Mapped[datetime]
