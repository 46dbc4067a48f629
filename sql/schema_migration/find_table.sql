-- Says whether any migration was ever applied here.
-- row: present boolean
select to_regclass('schema_migration') is not null as present
