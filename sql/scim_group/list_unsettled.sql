-- Lists groups whose members are still to be made due for a check: the process that changed them has not come to the end.
-- $1 limit bigint
-- rows: scim_group_id text
select scim_group_id
from scim_group
where settled_until is not null
order by scim_group_id
limit $1
