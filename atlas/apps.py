from django.apps import AppConfig


class AtlasConfig(AppConfig):
    name = "atlas"

    def ready(self) -> None:
        from atlas import policies
        from atlas.archive import metadata
        from atlas.sealed import on_series_sealed

        policies.register_own_roads()
        on_series_sealed("metadata", metadata.write)
