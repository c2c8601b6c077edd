"""A catalogue to try: drawn images by made-up hospitals, enough of them that counts are told."""

from network.demo.seed import seed_catalogue

__all__ = ["seed_catalogue"]
