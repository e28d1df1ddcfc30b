"""From the gateway to the inbox: nothing here touches the database."""
