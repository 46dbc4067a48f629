-- Lets all statements of the transaction see the state that the first of them sees.
-- nothing
set transaction isolation level repeatable read
