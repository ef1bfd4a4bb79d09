"""What vendors charge: prices by date, paid calls with who they were for, budgets."""

from adology.money.calls import Bill, MemoryPurse, PaidCall, Payer, Purse, Reservation
from adology.money.prices import PriceTable
from adology.settings.prices import Price

__all__ = ["Bill", "MemoryPurse", "PaidCall", "Payer", "Price", "PriceTable", "Purse", "Reservation"]
