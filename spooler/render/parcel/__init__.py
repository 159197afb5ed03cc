"""Step 2c: the parts of a 宗地图 that we draw ourselves. `spooler.render.parcel_drawing` puts them together."""
