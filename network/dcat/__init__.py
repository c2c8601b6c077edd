"""The catalogue for machines: DCAT-AP 3, HealthDCAT-AP and the European cancer imaging profile, as a whole
(`/catalogue.ttl`, `/catalogue.jsonld`), as a FAIR Data Point (`/fdp`), and for search engines (schema.org).

What a machine can count is counted (`network.listings`); what only a person can say is listed in `terms`.
"""
