"""Is this release fit to serve? The balancer and the deploy both ask."""

from django.conf import settings
from django.http import JsonResponse

from catalog.models import Product
from orders.models import Order


class ReleaseMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["X-Release"] = settings.RELEASE
        return response


def problems():
    list(Product.objects.all()[:1])
    list(Order.objects.select_related("customer")[:1])
    return []


def health(request):
    found = problems()
    return JsonResponse(
        {"release": settings.RELEASE, "problems": found},
        status=503 if found else 200,
    )
