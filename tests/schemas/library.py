"""A library: ISBN keys, copies, loans, reservations, fines."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import *
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Publisher(Base):
    __tablename__ = "publisher"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    country: Mapped[str | None] = mapped_column(String(60))
    founded_year: Mapped[int | None] = mapped_column(
        SmallInteger, CheckConstraint("founded_year > 1400 AND founded_year < 2100", name="founded")
    )


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    given_name: Mapped[str | None] = mapped_column(String(60))
    family_name: Mapped[str] = mapped_column(String(60))
    born: Mapped[date | None]
    died: Mapped[date | None]
    __table_args__ = (CheckConstraint("died IS NULL OR born IS NULL OR died > born", name="lifetime"),)


class Language(Base):
    __tablename__ = "language"
    code: Mapped[str] = mapped_column(CHAR(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)


class Subject(Base):
    __tablename__ = "subject"
    dewey: Mapped[Decimal] = mapped_column(
        Numeric(6, 3), CheckConstraint("dewey >= 0 AND dewey < 1000", name="dewey_range"), primary_key=True
    )
    heading: Mapped[str] = mapped_column(String(100))


class Book(Base):
    __tablename__ = "book"
    __table_args__ = (
        CheckConstraint("length(isbn) = 13", name="isbn13"),
        CheckConstraint("pages > 0", name="has_pages"),
    )
    isbn: Mapped[str] = mapped_column(String(13), primary_key=True)
    title: Mapped[str] = mapped_column(String(200), index=True)
    subtitle: Mapped[str | None] = mapped_column(String(200))
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("publisher.id"))
    language_code: Mapped[str] = mapped_column(ForeignKey("language.code"))
    dewey: Mapped[Decimal | None] = mapped_column(ForeignKey("subject.dewey"))
    published_on: Mapped[date | None]
    edition: Mapped[int] = mapped_column(server_default="1")
    pages: Mapped[int | None]
    list_price: Mapped[Decimal | None] = mapped_column(Numeric(7, 2))


class BookAuthor(Base):
    __tablename__ = "book_author"
    __table_args__ = (UniqueConstraint("isbn", "ord"),)
    isbn: Mapped[str] = mapped_column(ForeignKey("book.isbn", onupdate="CASCADE"), primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), primary_key=True)
    ord: Mapped[int] = mapped_column(SmallInteger)
    role: Mapped[str] = mapped_column(Enum("author", "editor", "translator", "illustrator", name="author_role"))


class Branch(Base):
    __tablename__ = "branch"
    code: Mapped[str] = mapped_column(
        String(3), CheckConstraint("code = UPPER(code)", name="branch_upper"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(60))
    street: Mapped[str] = mapped_column(String(80))
    opens: Mapped[datetime] = mapped_column(Time)
    closes: Mapped[datetime] = mapped_column(Time)
    __table_args__ = (CheckConstraint("opens < closes", name="opening_hours"),)


class Copy(Base):
    __tablename__ = "copy"
    __table_args__ = (
        UniqueConstraint("isbn", "copy_no"),
        CheckConstraint("condition_ IN ('new','good','worn','damaged')", name="condition_known"),
    )
    barcode: Mapped[str] = mapped_column(String(14), primary_key=True)
    isbn: Mapped[str] = mapped_column(ForeignKey("book.isbn"))
    copy_no: Mapped[int]
    branch_code: Mapped[str] = mapped_column(ForeignKey("branch.code"))
    condition_: Mapped[str] = mapped_column("condition_", String(10))
    acquired: Mapped[date]


class Member(Base):
    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint("email LIKE '%@%.%'", name="email_like"),
        CheckConstraint("card_no LIKE 'LIB%'", name="card_like"),
        CheckConstraint("expires >= joined", name="membership"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    card_no: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str | None] = mapped_column(String(120), unique=True)
    phone: Mapped[str | None] = mapped_column(String(20))
    joined: Mapped[date]
    expires: Mapped[date]
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))


class Loan(Base):
    __tablename__ = "loan"
    __table_args__ = (
        CheckConstraint("due_on > loaned_on", name="due_after_loan"),
        CheckConstraint("returned_on >= loaned_on", name="back_after_loan"),
        CheckConstraint("renewals BETWEEN 0 AND 3", name="renewals_max"),
        Index(
            "one_open_loan",
            "barcode",
            unique=True,
            postgresql_where=text("returned_on IS NULL"),
            sqlite_where=text("returned_on IS NULL"),
        ).ddl_if(callable_=lambda ddl, target, bind, **kw: bind is None or bind.dialect.name != "mariadb")
        if False
        else Index("ix_loan_due", "due_on"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    barcode: Mapped[str] = mapped_column(ForeignKey("copy.barcode"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    loaned_on: Mapped[date]
    due_on: Mapped[date]
    returned_on: Mapped[date | None]
    renewals: Mapped[int]


class Fine(Base):
    __tablename__ = "fine"
    loan_id: Mapped[int] = mapped_column(ForeignKey("loan.id"), primary_key=True)
    amount: Mapped[Decimal] = mapped_column(
        Numeric(6, 2), CheckConstraint("amount > 0 AND amount <= 50", name="fine_amount")
    )
    paid_at: Mapped[datetime | None]


class Reservation(Base):
    __tablename__ = "reservation"
    __table_args__ = (
        UniqueConstraint("isbn", "member_id", name="reserve_once"),
        UniqueConstraint("isbn", "queue_position"),
        CheckConstraint("queue_position >= 1", name="queue"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    isbn: Mapped[str] = mapped_column(ForeignKey("book.isbn"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    queue_position: Mapped[int]
    reserved_at: Mapped[datetime]
