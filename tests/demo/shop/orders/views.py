from django.db.models import F
from django.db.models.functions import Greatest
from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from catalog.models import Product
from orders.models import Customer, Order, OrderLine


def shown(order):
    return {
        "id": order.id,
        "customer": order.customer.name,
        "status": order.status,
        "note": order.note or "",
        "lines": [
            {"product": line.product.name, "quantity": line.quantity}
            for line in order.lines.select_related("product")
        ],
    }


def customer(request, pk):
    found = get_object_or_404(Customer, pk=pk)
    return JsonResponse(
        {
            "id": found.id,
            "name": found.name,
            "phone": found.phone,
            "fax": found.fax,
            "orders": found.orders.count(),
        }
    )


def place(request):
    """POST email, name, products=1,2,3: a new order, of a new customer perhaps."""
    buyer, _ = Customer.objects.get_or_create(
        email=request.POST["email"], defaults={"name": request.POST["name"]}
    )
    placed = Order.objects.create(
        customer=buyer, note=request.POST.get("note") or None
    )
    wanted = sorted({int(i) for i in request.POST["products"].split(",")})
    for product in Product.objects.filter(pk__in=wanted).order_by("pk"):
        OrderLine.objects.create(order=placed, product=product, price=product.price)
        Product.objects.filter(pk=product.pk).update(
            stock=Greatest(F("stock") - 1, 0)
        )
    return JsonResponse(shown(placed), status=201)


def order(request, pk):
    found = get_object_or_404(Order.objects.select_related("customer"), pk=pk)
    if request.method == "POST":
        found.note = request.POST.get("note") or None
        found.status = "changed"
        found.save()
    return JsonResponse(shown(found))


def cancel(request, pk):
    found = get_object_or_404(Order, pk=pk)
    found.delete()
    return JsonResponse({"cancelled": pk})
