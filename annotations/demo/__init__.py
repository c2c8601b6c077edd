"""A node to try: a made-up hospital and its people, five real cases, work to read, review and download.

Everything goes through the services that people use. Seeding again adds what is missing and keeps what was
drawn since.
"""

from annotations.demo.seed import seed_demo

__all__ = ["seed_demo"]
