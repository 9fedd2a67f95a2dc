from django.urls import path

from catalog import views as catalog
from orders import views as orders
from shop import health

urlpatterns = [
    path("health/", health.health),
    path("products/", catalog.products),
    path("products/<int:pk>/", catalog.product),
    path("customers/<int:pk>/", orders.customer),
    path("orders/", orders.place),
    path("orders/<int:pk>/", orders.order),
    path("orders/<int:pk>/cancel/", orders.cancel),
]
