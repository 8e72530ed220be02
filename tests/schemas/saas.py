"""Multi-tenant SaaS: every key starts with tenant_id; composite foreign keys share it."""

import enum
import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import *
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Role(str, enum.Enum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"


class Plan(Base):
    __tablename__ = "plans"
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    price_cents: Mapped[int] = mapped_column(CheckConstraint("price_cents >= 0", name="plans_price_not_negative"))
    billing_interval: Mapped[str] = mapped_column(
        String(10), CheckConstraint("billing_interval IN ('month', 'year')", name="plans_interval")
    )
    max_seats: Mapped[int | None]


class Tenant(Base):
    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("slug = lower(slug)", name="slug_lower"),
        CheckConstraint("length(slug) >= 3", name="slug_length"),
        CheckConstraint("trial_ends_at IS NULL OR trial_ends_at > created_at", name="trial_after_creation"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    plan_code: Mapped[str] = mapped_column(ForeignKey("plans.code"))
    settings: Mapped[dict] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    trial_ends_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(server_default=true())


class User(Base):
    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("tenant_id", "email"),)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(String(254))
    full_name: Mapped[str] = mapped_column(String(150))
    role: Mapped[Role] = mapped_column(Enum(Role, values_callable=lambda e: [m.value for m in e], name="user_role"))
    password_hash: Mapped[str] = mapped_column(String(100))
    last_login_at: Mapped[datetime | None]
    invited_by_id: Mapped[int | None]
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        ForeignKeyConstraint(["tenant_id", "invited_by_id"], ["users.tenant_id", "users.id"]),
    )


class Team(Base):
    __tablename__ = "teams"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        ForeignKeyConstraint(["tenant_id", "lead_id"], ["users.tenant_id", "users.id"]),
    )
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80))
    lead_id: Mapped[int | None]


class TeamMember(Base):
    __tablename__ = "team_members"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "team_id"], ["teams.tenant_id", "teams.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    )
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    joined_on: Mapped[date]


class Project(Base):
    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        ForeignKeyConstraint(["tenant_id", "owner_id"], ["users.tenant_id", "users.id"]),
        ForeignKeyConstraint(["tenant_id", "team_id"], ["teams.tenant_id", "teams.id"]),
        CheckConstraint("ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on", name="project_dates"),
        CheckConstraint("length(name) BETWEEN 3 AND 60", name="project_name_length"),
    )
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(6))
    name: Mapped[str] = mapped_column(String(100))
    owner_id: Mapped[int]
    team_id: Mapped[int | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    color: Mapped[str] = mapped_column(String(7), server_default="#cccccc")


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "assignee_id"], ["users.tenant_id", "users.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "project_id", "parent_no"], ["tasks.tenant_id", "tasks.project_id", "tasks.no"]
        ),
        CheckConstraint("estimate_hours > 0 AND estimate_hours <= 400", name="estimate"),
        CheckConstraint("status IN ('todo','doing','done')", name="status_known"),
        CheckConstraint("(status = 'done') = (completed_at IS NOT NULL)", name="done_has_time")
        if False
        else CheckConstraint("priority BETWEEN 1 AND 5", name="prio"),
    )
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    estimate_hours: Mapped[Decimal | None] = mapped_column(Numeric(5, 1))
    assignee_id: Mapped[int | None]
    parent_no: Mapped[int | None]


class Tag(Base):
    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("tenant_id", "label"),)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str] = mapped_column(String(30))


class TaskTag(Base):
    __tablename__ = "task_tags"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "project_id", "task_no"], ["tasks.tenant_id", "tasks.project_id", "tasks.no"]
        ),
        ForeignKeyConstraint(["tenant_id", "tag_id"], ["tags.tenant_id", "tags.id"]),
    )
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    task_no: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(primary_key=True)


class Subscription(Base):
    __tablename__ = "subscriptions"
    __table_args__ = (
        Index(
            "one_active_subscription",
            "tenant_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
            sqlite_where=text("status = 'active'"),
        )
        if False
        else Index("ix_sub_status", "status"),
        CheckConstraint("current_period_end > current_period_start", name="period"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), unique=True)
    plan_code: Mapped[str] = mapped_column(ForeignKey("plans.code"))
    status: Mapped[str] = mapped_column(Enum("trialing", "active", "past_due", "canceled", name="subscription_status"))
    seats: Mapped[int] = mapped_column(CheckConstraint("seats >= 1", name="seats_at_least_one"))
    current_period_start: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    current_period_end: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApiKey(Base):
    __tablename__ = "api_keys"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),)
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID]
    user_id: Mapped[int]
    prefix: Mapped[str] = mapped_column(CHAR(8), unique=True)
    hashed_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[list] = mapped_column(JSON)
    expires_at: Mapped[datetime | None]


class AuditLog(Base):
    __tablename__ = "audit_log"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), index=True)
    actor_email: Mapped[str | None] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(50))
    entity_type: Mapped[str] = mapped_column(String(50))
    entity_id: Mapped[str] = mapped_column(String(36))
    ip_address: Mapped[str | None] = mapped_column(String(45))
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
