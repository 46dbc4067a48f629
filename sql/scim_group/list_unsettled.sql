-- Lists groups whose members are still to be made due for a check, or removed: the process that changed the group has not
-- come to the end. Among them are groups that were begun and never made known.
-- $1 begun_before timestamptz, whose process goes on no more
-- $2 limit bigint
-- rows: scim_group_id text
select scim_group_id
from scim_group
where settled_until is not null or deleted_at <= $1
order by scim_group_id
limit $2
