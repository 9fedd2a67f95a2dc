from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from catalog.models import Product


def shown(product):
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "category": product.category.name,
        "price": str(product.price),
        "stock": product.stock,
    }


def products(request):
    start = int(request.GET.get("start", 0))
    found = Product.objects.select_related("category").order_by("id")
    return JsonResponse({"products": [shown(p) for p in found[start : start + 20]]})


def product(request, pk):
    found = Product.objects.select_related("category")
    return JsonResponse(shown(get_object_or_404(found, pk=pk)))
