"""How the conversations beside were recorded; needs PHP and the clients, which no test does."""
