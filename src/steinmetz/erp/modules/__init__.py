"""The modules of the ERP; across modules only ``service`` is imported."""
