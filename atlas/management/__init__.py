"""What an operator types: `python manage.py help`."""
