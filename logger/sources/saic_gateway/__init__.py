"""SAIC (MG) through the iSmart gateway, an add-on of Home Assistant, which is polled."""
