"""E-commerce: variants, inventory movements, orders, payments, coupons, reviews."""

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Optional

from sqlalchemy import *
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class OrderStatus(enum.Enum):
    pending = 1
    paid = 2
    shipped = 3
    delivered = 4
    cancelled = 5
    refunded = 6


class TimestampMixin:
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), nullable=False)
    updated_at: Mapped[Optional[datetime]] = mapped_column(DateTime(timezone=True), onupdate=func.now())


class Customer(TimestampMixin, Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("email LIKE '%_@_%'", name="ck_customer_email"),
        CheckConstraint("loyalty_points >= 0", name="points"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True, index=True)
    first_name: Mapped[str] = mapped_column(String(50))
    last_name: Mapped[str] = mapped_column(String(50))
    phone: Mapped[Optional[str]] = mapped_column(String(20))
    date_of_birth: Mapped[Optional[date]]
    loyalty_points: Mapped[int] = mapped_column(default=0)
    marketing_opt_in: Mapped[bool] = mapped_column(default=False)
    default_address_id: Mapped[Optional[int]] = mapped_column(ForeignKey("addresses.id", use_alter=True))


class Address(Base):
    __tablename__ = "addresses"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    line1: Mapped[str] = mapped_column(String(100))
    line2: Mapped[Optional[str]] = mapped_column(String(100))
    city: Mapped[str] = mapped_column(String(60))
    state: Mapped[Optional[str]] = mapped_column(String(2))
    postal_code: Mapped[str] = mapped_column(String(12))
    country_code: Mapped[str] = mapped_column(String(2), CheckConstraint("length(country_code) = 2", name="iso2"))
    kind: Mapped[str] = mapped_column(
        Enum("billing", "shipping", name="address_kind", native_enum=False, create_constraint=True)
    )


class Category(Base):
    __tablename__ = "categories"
    __table_args__ = (CheckConstraint("parent_id <> id", name="not_own_parent"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[Optional[int]] = mapped_column(ForeignKey("categories.id"))
    name: Mapped[str] = mapped_column(String(60))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    sort_order: Mapped[int] = mapped_column(server_default="0")


class Brand(Base):
    __tablename__ = "brands"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    website: Mapped[Optional[str]] = mapped_column(String(200))


class Product(TimestampMixin, Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("sale_price IS NULL OR sale_price < price", name="sale_below_price"),
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint("weight_g > 0 AND weight_g < 100000", name="weight"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(32), unique=True)
    title: Mapped[str] = mapped_column(String(140))
    description: Mapped[Optional[str]] = mapped_column(Text)
    brand_id: Mapped[Optional[int]] = mapped_column(ForeignKey("brands.id"))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    sale_price: Mapped[Optional[Decimal]] = mapped_column(Numeric(10, 2))
    weight_g: Mapped[Optional[int]]
    ean: Mapped[Optional[str]] = mapped_column(String(13), unique=True)
    is_published: Mapped[bool]
    attributes: Mapped[Optional[dict]] = mapped_column(JSON)


product_categories = Table(
    "product_categories",
    Base.metadata,
    Column("product_id", ForeignKey("products.id"), primary_key=True),
    Column("category_id", ForeignKey("categories.id"), primary_key=True),
    Column("position", Integer, nullable=False),
)


class Variant(Base):
    __tablename__ = "product_variants"
    __table_args__ = (UniqueConstraint("product_id", "size", "color", name="uq_variant"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    size: Mapped[str] = mapped_column(
        String(3), CheckConstraint("size IN ('XS','S','M','L','XL','XXL')", name="known_size")
    )
    color: Mapped[str] = mapped_column(String(30))
    price_delta: Mapped[Decimal] = mapped_column(Numeric(8, 2), server_default="0")


class Image(Base):
    __tablename__ = "product_images"
    __table_args__ = (UniqueConstraint("product_id", "position"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    url: Mapped[str] = mapped_column(String(500))
    alt_text: Mapped[Optional[str]] = mapped_column(String(120))
    width: Mapped[int]
    height: Mapped[int]


class Warehouse(Base):
    __tablename__ = "warehouses"
    code: Mapped[str] = mapped_column(String(4), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    latitude: Mapped[Optional[Decimal]] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Optional[Decimal]] = mapped_column(Numeric(9, 6))


class Stock(Base):
    __tablename__ = "stock_levels"
    __table_args__ = (
        CheckConstraint("reserved <= on_hand", name="reserved_le_on_hand"),
        CheckConstraint("on_hand >= 0 AND reserved >= 0", name="stock_positive"),
    )
    variant_id: Mapped[int] = mapped_column(ForeignKey("product_variants.id"), primary_key=True)
    warehouse_code: Mapped[str] = mapped_column(ForeignKey("warehouses.code"), primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(server_default="0")


class Movement(Base):
    __tablename__ = "inventory_movements"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="movement_not_zero"),
        CheckConstraint("from_warehouse <> to_warehouse", name="other_warehouse"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("product_variants.id"))
    from_warehouse: Mapped[Optional[str]] = mapped_column(ForeignKey("warehouses.code"))
    to_warehouse: Mapped[Optional[str]] = mapped_column(ForeignKey("warehouses.code"))
    quantity: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40))
    moved_at: Mapped[datetime]


class Coupon(Base):
    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint(
            "(percent_off IS NOT NULL AND amount_off IS NULL) OR (percent_off IS NULL AND amount_off IS NOT NULL)",
            name="one_kind_of_discount",
        ),
        CheckConstraint("percent_off BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("amount_off > 0", name="amount"),
        CheckConstraint("valid_from < valid_until", name="validity"),
        CheckConstraint("code = upper(code)", name="upper_code"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    percent_off: Mapped[Optional[int]]
    amount_off: Mapped[Optional[Decimal]] = mapped_column(Numeric(8, 2))
    valid_from: Mapped[datetime]
    valid_until: Mapped[Optional[datetime]]
    max_uses: Mapped[Optional[int]]


class Order(TimestampMixin, Base):
    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total = subtotal + shipping - discount", name="total_adds_up")
        if False
        else CheckConstraint("total >= 0", name="total_not_negative"),
        CheckConstraint("discount <= subtotal", name="discount_le_subtotal"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(12), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    billing_address_id: Mapped[int] = mapped_column(ForeignKey("addresses.id"))
    shipping_address_id: Mapped[int] = mapped_column(ForeignKey("addresses.id"))
    coupon_id: Mapped[Optional[int]] = mapped_column(ForeignKey("coupons.id"))
    status: Mapped[OrderStatus] = mapped_column(index=True)
    currency: Mapped[str] = mapped_column(CHAR(3), server_default="EUR")
    subtotal: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    shipping: Mapped[Decimal] = mapped_column(Numeric(8, 2), server_default="0")
    discount: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default="0")
    total: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    placed_at: Mapped[datetime]
    shipped_at: Mapped[Optional[datetime]]
    delivered_at: Mapped[Optional[datetime]]


class OrderItem(Base):
    __tablename__ = "order_items"
    __table_args__ = (UniqueConstraint("order_id", "variant_id"), CheckConstraint("quantity > 0", name="qty_positive"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True)
    line_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("product_variants.id"))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    line_total: Mapped[Decimal] = mapped_column(Numeric(12, 2), Computed("quantity * unit_price", persisted=True))


class Payment(Base):
    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    provider: Mapped[str] = mapped_column(Enum("stripe", "paypal", "invoice", name="provider"))
    transaction_id: Mapped[Optional[str]] = mapped_column(String(64), unique=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    card_last4: Mapped[Optional[str]] = mapped_column(String(4))
    paid_at: Mapped[Optional[datetime]]


class Refund(Base):
    __tablename__ = "refunds"
    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    reason: Mapped[Optional[str]] = mapped_column(String(200))


class Shipment(Base):
    __tablename__ = "shipments"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    warehouse_code: Mapped[str] = mapped_column(ForeignKey("warehouses.code"))
    carrier: Mapped[str] = mapped_column(String(30))
    tracking_number: Mapped[str] = mapped_column(String(40), unique=True)
    shipped_at: Mapped[datetime]
    delivered_at: Mapped[Optional[datetime]]


class Review(TimestampMixin, Base):
    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("product_id", "customer_id", name="one_review_each"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_1_5"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    rating: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[Optional[str]] = mapped_column(String(100))
    body: Mapped[Optional[str]] = mapped_column(Text)


class Cart(Base):
    __tablename__ = "carts"
    __table_args__ = (CheckConstraint("customer_id IS NOT NULL OR session_token IS NOT NULL", name="someones_cart"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[Optional[int]] = mapped_column(ForeignKey("customers.id"))
    session_token: Mapped[Optional[str]] = mapped_column(String(64))


class CartItem(Base):
    __tablename__ = "cart_items"
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("product_variants.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(CheckConstraint("quantity BETWEEN 1 AND 99", name="cart_qty"))


class Wishlist(Base):
    __tablename__ = "wishlists"
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    added_at: Mapped[datetime]
