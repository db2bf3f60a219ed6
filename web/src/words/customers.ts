/** Customers. */

import { phrases } from './phrases';

export const customers = phrases({
  'customers.search': { en: 'Name, number or city', de: 'Name, Nummer oder Ort' },
  'customers.new': { en: 'New customer', de: 'Neuer Kunde' },
  'customers.empty': { en: 'There is no customer yet.', de: 'Noch gibt es keinen Kunden.' },
  'customers.edit': { en: 'Edit', de: 'Bearbeiten' },
  'customers.created': { en: 'Customer {number} created', de: 'Kunde {number} angelegt' },
  'customers.invoices': { en: 'Invoices', de: 'Rechnungen' },
  'customers.no_invoices': { en: 'No invoice yet.', de: 'Noch keine Rechnung.' },
  'customers.address': { en: 'Address', de: 'Anschrift' },
  'customers.contact': { en: 'Contact', de: 'Kontakt' },
  'customers.terms': { en: 'Terms', de: 'Konditionen' },
  'customer.number': { en: 'Number', de: 'Nummer' },
  'customer.name': { en: 'Name', de: 'Name' },
  'customer.contact': { en: 'Contact person', de: 'Ansprechpartner' },
  'customer.email': { en: 'E-mail', de: 'E-Mail' },
  'customer.phone': { en: 'Phone', de: 'Telefon' },
  'customer.street': { en: 'Street', de: 'Straße' },
  'customer.postalCode': { en: 'Postal code', de: 'Postleitzahl' },
  'customer.city': { en: 'City', de: 'Ort' },
  'customer.country': { en: 'Country', de: 'Land' },
  'customer.country.hint': { en: 'Two letters, such as DE', de: 'Zwei Buchstaben, etwa DE' },
  'customer.vatId': { en: 'VAT id', de: 'USt-IdNr.' },
  'customer.paymentDays': { en: 'Payment days', de: 'Zahlungsziel, Tage' },
  'customer.isActive': { en: 'Active', de: 'Aktiv' },
  'customer.createdAt': { en: 'Customer since', de: 'Kunde seit' },
  'customer.active': { en: 'Active', de: 'Aktiv' },
  'customer.inactive': { en: 'Inactive', de: 'Inaktiv' },
  'customer.days': {
    en: { one: '{count} day', other: '{count} days' },
    de: { one: '{count} Tag', other: '{count} Tage' },
  },
});
