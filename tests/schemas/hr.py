"""Oracle's HR with tickets: departments <-> managers, history keys, self references."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import *
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Region(Base):
    __tablename__ = "regions"
    region_id: Mapped[int] = mapped_column(primary_key=True)
    region_name: Mapped[str | None] = mapped_column(String(25))


class Country(Base):
    __tablename__ = "countries"
    country_id: Mapped[str] = mapped_column(CHAR(2), primary_key=True)
    country_name: Mapped[str | None] = mapped_column(String(40))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("regions.region_id"))


class Location(Base):
    __tablename__ = "locations"
    location_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    street_address: Mapped[str | None] = mapped_column(String(40))
    postal_code: Mapped[str | None] = mapped_column(String(12))
    city: Mapped[str] = mapped_column(String(30))
    state_province: Mapped[str | None] = mapped_column(String(25))
    country_id: Mapped[str | None] = mapped_column(ForeignKey("countries.country_id"))


class Department(Base):
    __tablename__ = "departments"
    department_id: Mapped[int] = mapped_column(primary_key=True)
    department_name: Mapped[str] = mapped_column(String(30))
    manager_id: Mapped[int | None] = mapped_column(
        ForeignKey("employees.employee_id", use_alter=True, name="dept_mgr_fk"), unique=True
    )
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.location_id"))


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (CheckConstraint("min_salary > 0 AND max_salary > min_salary", name="job_salary"),)
    job_id: Mapped[str] = mapped_column(String(10), primary_key=True)
    job_title: Mapped[str] = mapped_column(String(35))
    min_salary: Mapped[int | None]
    max_salary: Mapped[int | None]


class Employee(Base):
    __tablename__ = "employees"
    __table_args__ = (
        CheckConstraint("salary > 0", name="emp_salary_min"),
        CheckConstraint("commission_pct < 1", name="commission"),
        CheckConstraint("employee_id <> manager_id", name="not_own_manager").ddl_if(
            callable_=lambda d, t, b, dialect=None, **k: (dialect or b.dialect).name not in ("mysql", "mariadb")
        ),
    )
    employee_id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str | None] = mapped_column(String(20))
    last_name: Mapped[str] = mapped_column(String(25))
    email: Mapped[str] = mapped_column(String(25), unique=True)
    phone_number: Mapped[str | None] = mapped_column(String(20))
    hire_date: Mapped[date]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"))
    salary: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    commission_pct: Mapped[Decimal | None] = mapped_column(Numeric(2, 2))
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("employees.employee_id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.department_id"))


class JobHistory(Base):
    __tablename__ = "job_history"
    __table_args__ = (CheckConstraint("end_date > start_date", name="jhist_date_interval"),)
    employee_id: Mapped[int] = mapped_column(ForeignKey("employees.employee_id"), primary_key=True)
    start_date: Mapped[date] = mapped_column(primary_key=True)
    end_date: Mapped[date]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.department_id"))


class Leave(Base):
    __tablename__ = "leave_requests"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="leave_days"),
        CheckConstraint("approver_id IS NULL OR approver_id <> employee_id", name="not_self_approved"),
        CheckConstraint("status = 'open' OR approver_id IS NOT NULL", name="decided_by"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int] = mapped_column(ForeignKey("employees.employee_id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("employees.employee_id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    status: Mapped[str] = mapped_column(Enum("open", "approved", "rejected", name="leave_status"))


class Skill(Base):
    __tablename__ = "skills"
    name: Mapped[str] = mapped_column(String(50), primary_key=True)


class EmployeeSkill(Base):
    __tablename__ = "employee_skills"
    employee_id: Mapped[int] = mapped_column(ForeignKey("employees.employee_id"), primary_key=True)
    skill_name: Mapped[str] = mapped_column(ForeignKey("skills.name"), primary_key=True)
    level: Mapped[str] = mapped_column(Enum("junior", "mid", "senior", name="skill_level"))
    years: Mapped[Decimal] = mapped_column(Numeric(3, 1))


class Queue(Base):
    __tablename__ = "ticket_queues"
    code: Mapped[str] = mapped_column(String(5), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    default_assignee_id: Mapped[int] = mapped_column(ForeignKey("employees.employee_id"))


class Ticket(Base):
    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("closed_at >= opened_at", name="closed_later"),
        CheckConstraint("duplicate_of <> id", name="no_self_dup").ddl_if(
            callable_=lambda d, t, b, dialect=None, **k: (dialect or b.dialect).name not in ("mysql", "mariadb")
        ),
        CheckConstraint("severity IN (1, 2, 3, 4)", name="sev"),
        CheckConstraint("reporter_email LIKE '%@example.org'", name="own_domain"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    queue_code: Mapped[str] = mapped_column(ForeignKey("ticket_queues.code"))
    reporter_email: Mapped[str] = mapped_column(String(80))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("employees.employee_id"))
    duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    severity: Mapped[int] = mapped_column(SmallInteger)
    subject: Mapped[str] = mapped_column(String(120))
    body: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
