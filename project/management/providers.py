"""What Faker has no provider for: values of a few kinds more, drawn from Faker's own randomness."""

from __future__ import annotations

import string
from typing import Any

from faker.providers import BaseProvider

from .checkdigits import corrected

_BASE64 = string.ascii_letters + string.digits + "./"
_LOOKS = ("Rustic", "Compact", "Foldable", "Classic", "Light", "Modern", "Handmade", "Portable", "Sturdy", "Small")
_STUFFS = ("Wooden", "Steel", "Cotton", "Leather", "Bamboo", "Glass", "Ceramic", "Wool", "Linen", "Rubber")
_THINGS = ("Chair", "Lamp", "Backpack", "Mug", "Table", "Jacket", "Bottle", "Notebook", "Basket", "Shelf", "Clock",
           "Blanket", "Knife", "Tray", "Shoes", "Umbrella", "Wallet", "Pillow", "Bowl", "Watch")  # fmt: skip
_LEVELS = ("Introduction to", "Foundations of", "Principles of", "Advanced", "Applied", "Topics in", "Seminar in")
_FIELDS = ("Biology", "Linear Algebra", "Economics", "Chemistry", "Statistics", "Philosophy", "World History",
           "Computer Science", "Psychology", "Physics", "Sociology", "Art History", "Data Analysis", "Microbiology",
           "Marketing", "Music Theory", "Political Science", "Linguistics", "Accounting", "Astronomy")  # fmt: skip
_DEPARTMENTS = ("Sales", "Marketing", "Finance", "Human Resources", "Engineering", "Customer Support", "Legal",
                "Operations", "Research", "Purchasing", "Logistics", "Quality")  # fmt: skip
_CATEGORIES = ("Electronics", "Books", "Clothing", "Home & Garden", "Sports", "Toys", "Groceries", "Health & Beauty",
               "Automotive", "Music", "Office Supplies", "Pet Supplies", "Tools", "Furniture", "Jewelry")  # fmt: skip
_BUILDINGS = ("Hall", "House", "Center", "Tower", "Building")


class Provider(BaseProvider):
    """Providers beside Faker's own, for every locale."""

    def issn(self) -> str:
        return corrected("issn", self.numerify("####-####"))

    def imei(self) -> str:
        return corrected("imei", self.numerify("35#############"))

    def e164(self) -> str:
        """A telephone number as it is dialled from anywhere: https://www.itu.int/rec/T-REC-E.164"""
        return self.numerify("+%##########")

    def password_hash(self) -> str:
        """What bcrypt makes of a password, by its look."""
        return "$2b$12$" + "".join(self.random_choices(_BASE64, 53))

    def hex16(self) -> str:
        return self.hexify("^" * 16)

    def hex8(self) -> str:
        return self.hexify("^" * 8)

    def json_object(self) -> str:
        active = self.random_element(("true", "false"))
        return f'{{"id": {self.random_int(1, 9999)}, "active": {active}}}'

    def html_text(self) -> str:
        return f"<p>{self.generator.sentence()}</p>"

    def version(self) -> str:
        return f"{self.random_int(0, 9)}.{self.random_int(0, 19)}.{self.random_int(0, 29)}"

    def coordinates(self) -> str:
        return f"{self.generator.latitude()},{self.generator.longitude()}"

    def country_code_3(self) -> str:
        code: str = self.generator.country_code("alpha-3")
        return code

    def sort_name(self) -> str:
        return f"{self.generator.last_name()}, {self.generator.first_name()}"

    def headline(self) -> str:
        return str(self.generator.sentence(nb_words=5)).rstrip(".。।")

    def book_title(self) -> str:
        words: Any = self.generator.words(nb=self.random_int(2, 4))
        return " ".join(one[:1].upper() + one[1:] for one in words)

    def course_title(self) -> str:
        return f"{self.random_element(_LEVELS)} {self.random_element(_FIELDS)}"

    def product_name(self) -> str:
        return " ".join(map(self.random_element, (_LOOKS, _STUFFS, _THINGS)))

    def company_department(self) -> str:
        name: str = self.random_element(_DEPARTMENTS)
        return name

    def product_category(self) -> str:
        name: str = self.random_element(_CATEGORIES)
        return name

    def hall_name(self) -> str:
        return f"{self.generator.last_name()} {self.random_element(_BUILDINGS)}"
