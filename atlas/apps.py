from django.apps import AppConfig


class AtlasConfig(AppConfig):
    name = "atlas"

    def ready(self) -> None:
        from accounts.revocation import on_revocation
        from atlas import policies
        from atlas.archive import metadata, scanners
        from atlas.clinical import originals, tasks
        from atlas.dicomweb import revocation
        from atlas.erasers import register_eraser
        from atlas.holdings import register_holder
        from atlas.sealed import on_series_sealed

        policies.register_own_roads()
        on_revocation("decisions", revocation.tell_all)
        register_holder("clinical", originals.held)
        register_eraser("clinical", tasks.erase)
        on_series_sealed("metadata", metadata.write)
        on_series_sealed("scanner", scanners.note)
