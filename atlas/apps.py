from django.apps import AppConfig


class AtlasConfig(AppConfig):
    name = "atlas"

    def ready(self) -> None:
        from accounts.revocation import on_revocation
        from atlas import policies
        from atlas.archive import metadata, scanners
        from atlas.dicomweb import revocation
        from atlas.sealed import on_series_sealed

        policies.register_own_roads()
        on_revocation("decisions", revocation.tell_all)
        on_series_sealed("metadata", metadata.write)
        on_series_sealed("scanner", scanners.note)
