-- The index of a store; its version is in index.cpp. It holds nothing that the files do not say (docs/formats/store.md); a lost or
-- damaged index is rebuilt from them.

-- Which content a recipe gave. One row per recipe key ever built here.
CREATE TABLE IF NOT EXISTS recipe (
  recipe_key  TEXT PRIMARY KEY,       -- hex
  content_key TEXT NOT NULL,          -- hex; the folder below layers/
  name        TEXT NOT NULL,          -- the layer definition's name
  created     INTEGER NOT NULL,       -- seconds since 1970
  build_ms    INTEGER NOT NULL,       -- how long the build took
  bytes       INTEGER NOT NULL,       -- of file contents
  files       INTEGER NOT NULL        -- entries of the inventory
) WITHOUT ROWID;

-- Lookup of a layer's history by name: expected build times, older versions.
CREATE INDEX IF NOT EXISTS recipe_by_name ON recipe (name, created);

-- The newest of all: layers that a new one may share files with.
CREATE INDEX IF NOT EXISTS recipe_by_time ON recipe (created);

-- Lookup of what is to be forgotten with a layer.
CREATE INDEX IF NOT EXISTS recipe_by_content ON recipe (content_key);
