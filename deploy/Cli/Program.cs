// The entry point; filled in as the room is built.
return 0;
