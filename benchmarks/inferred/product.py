"""A model of eight ordinary columns, seeded by inference."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    city: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(Text)
    stock: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    available: Mapped[bool]
    released_on: Mapped[date]
    created_at: Mapped[datetime]
