"""The tables of the till: orders, reservations, prices, payments and the outbox."""
