"""A few thousand rows to begin with, always the same ones."""

import random
from itertools import islice

from django.core.management.base import BaseCommand
from django.db import transaction

from catalog.models import Category, Product
from orders.models import Customer, Order, OrderLine


class Command(BaseCommand):
    help = __doc__

    @transaction.atomic
    def handle(self, *args, **options):
        dice = random.Random(1)
        categories = Category.objects.bulk_create(
            Category(name=name, slug=name.lower())
            for name in ("Rope", "Anchors", "Lamps", "Charts", "Paint", "Pumps")
        )
        products = Product.objects.bulk_create(
            Product(
                category=dice.choice(categories),
                sku=f"S{i:05}",
                name=f"Article {i}",
                price=dice.randint(100, 9000) / 100,
                stock=dice.randint(0, 500),
            )
            for i in range(400)
        )
        customers = Customer.objects.bulk_create(
            Customer(email=f"c{i}@example.org", name=f"Customer {i}")
            for i in range(1500)
        )
        orders = Order.objects.bulk_create(
            Order(
                customer=dice.choice(customers),
                note=dice.choice([None, None, "leave at the door"]),
            )
            for i in range(2500)
        )
        lines = (
            OrderLine(order=order, product=product, price=product.price)
            for order in orders
            for product in dice.sample(products, 2)
        )
        while batch := list(islice(lines, 1000)):
            OrderLine.objects.bulk_create(batch)
        self.stdout.write(
            f"{len(products)} products, {len(customers)} customers, "
            f"{len(orders)} orders, {OrderLine.objects.count()} lines"
        )
